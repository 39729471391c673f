"""Base class of the configuration's tables, and types of values that several tables share.

Every value has an upper bound, so that a slip in a file is refused with its key instead of failing in the receiver.
"""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from vetlla.domain.signals import Priority

SHORTEST_S = 0.001
"""Shortest duration in seconds: a millisecond. A shorter pause would keep a processor busy."""
LONGEST_WAIT_S = 86_400
"""Longest wait for a disk or a peer in seconds: a day. After a day no answer comes."""
LONGEST_WINDOW_S = 366 * 86_400
"""Longest window or limit for people in seconds: a year. In microseconds, added to any stamp, it fits easily into
64 bits."""
MOST = 10_000_000
"""Highest count: 10 million connections, frames or reports need more memory than a receiver's machine has."""
MOST_MIB = 1 << 40
"""An exbibyte in mebibytes: no file system of one machine is larger."""
LONGEST_PATH = 4_095
"""Longest path in bytes (PATH_MAX of Linux, without the zero at its end)."""
LONGEST_HOST = 253
"""Longest host name in characters (RFC 1035, 2.3.4)."""
LONGEST_WORD = 255
"""Longest name of a user, group or listener in characters (LOGIN_NAME_MAX)."""


class Section(BaseModel):
    """One table. It is frozen and accepts no unknown keys."""

    # Strict, because TOML has types: `port = "9009"` or `connections = true` is a mistake to report, not to convert.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        # A daemon can start in any working directory, so a relative path could mean a different file each time.
        raise ValueError("should be an absolute path")
    encoded = os.fsencode(path)
    if len(encoded) > LONGEST_PATH or b"\0" in encoded:
        raise ValueError(f"should be a path of at most {LONGEST_PATH} bytes, without a zero byte")
    return path


def _plain_host(host: str) -> str:
    strange = any(character.isspace() or not character.isprintable() or character in "[]/" for character in host)
    if not host or strange or len(host) > LONGEST_HOST:
        raise ValueError('should be an address or a host name, such as "0.0.0.0", "::1" or "arc.example"')
    return host


def _address(text: str) -> str:
    wanted = 'should be an address such as "https://qmatic.example.cat"'
    if any(character.isspace() for character in text):
        raise ValueError(wanted)
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is no port
    except ValueError as error:
        raise ValueError(f"{wanted}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(wanted)
    if "@" in parts.netloc:
        raise ValueError("should hold neither a user nor a password: they have settings of their own")
    return text


def _base(text: str) -> str:
    return _address(text).rstrip("/")


def _priority_named(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in Priority.__members__:
        raise ValueError(f"should be one of {', '.join(Priority.__members__)}")
    return Priority[value]


def _zone_known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('should be a time zone such as "Europe/Madrid"') from error
    return name


AbsolutePath: TypeAlias = Annotated[Path, AfterValidator(_absolute)]
Host: TypeAlias = Annotated[str, AfterValidator(_plain_host)]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]
Mebibytes: TypeAlias = Annotated[int, Field(ge=1, le=MOST_MIB)]
Seconds: TypeAlias = Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_WINDOW_S)]
"""Length in seconds of a window of past time, or of a limit for people."""
Wait: TypeAlias = Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_WAIT_S)]
"""Seconds until the receiver acts."""
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name without control characters: terminals show it, and the machine's tables are searched for it."""
Url: TypeAlias = Annotated[str, Field(max_length=LONGEST_PATH), AfterValidator(_base)]
"""An address to which paths are added."""
WholeUrl: TypeAlias = Annotated[str, Field(max_length=LONGEST_PATH), AfterValidator(_address)]
"""An address that is used as it is written."""
Secret: TypeAlias = AbsolutePath | Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
"""File whose first line is a secret; or the name of a credential that systemd hands over (``LoadCredential=``)."""
NamedPriority: TypeAlias = Annotated[
    Priority, BeforeValidator(_priority_named), PlainSerializer(lambda priority: priority.name, when_used="json")
]
Zone: TypeAlias = Annotated[str, AfterValidator(_zone_known)]
"""IANA name of a time zone."""


def host_and_port(text: str) -> tuple[str, int] | None:
    """Return the parts of ``HOST:PORT``, an IPv6 host in brackets; None for another text. It does not check a range."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal()):
        return None
    return host.removeprefix("[").removesuffix("]"), int(port)


def spelled(host: str, port: int) -> str:
    """Return ``HOST:PORT``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_here(host: str) -> bool:
    """Return True for a loopback address of this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
