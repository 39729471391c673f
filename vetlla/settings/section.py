"""What every table of the configuration is made of: strict sections, and the kinds of values that several share.

Every value has an upper bound, so that a slip in a file is refused with its key instead of failing inside the receiver.
"""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SHORTEST_S = 0.001
"""Seconds of the shortest duration: a millisecond. A pause of less would keep a processor busy."""
LONGEST_WAIT_S = 86_400
"""Seconds of the longest wait for a disk or a peer: a day. What waits longer never comes back."""
LONGEST_WINDOW_S = 366 * 86_400
"""Seconds of the longest window, or of a limit for people: a year. In microseconds it fits, added to any stamp, into
64 bits many times."""
MOST = 10_000_000
"""Highest count: 10 million connections, frames or reports take more memory than a receiver's machine has."""
MOST_MIB = 1 << 40
"""Mebibytes of an exbibyte: no file system of one machine is larger."""
LONGEST_PATH = 4_095
"""Bytes of a path (PATH_MAX of Linux, without the zero at its end)."""
LONGEST_HOST = 253
"""Characters of a host name (RFC 1035, 2.3.4)."""
LONGEST_WORD = 255
"""Characters of a name of a user, group or listener (LOGIN_NAME_MAX)."""


class Section(BaseModel):
    """One table: frozen, without unknown keys."""

    # Strict: TOML has types, so `port = "9009"` or `connections = true` is a slip to be told, not to be converted.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        # A daemon's working directory is whatever started it: a relative path would mean another file each time.
        raise ValueError("should be an absolute path")
    encoded = os.fsencode(path)
    if len(encoded) > LONGEST_PATH or b"\0" in encoded:
        raise ValueError(f"should be a path of at most {LONGEST_PATH} bytes, none of them zero")
    return path


def _plain_host(host: str) -> str:
    strange = any(character.isspace() or not character.isprintable() or character in "[]/" for character in host)
    if not host or strange or len(host) > LONGEST_HOST:
        raise ValueError('should be an address or a host name, such as "0.0.0.0", "::1" or "arc.example"')
    return host


AbsolutePath: TypeAlias = Annotated[Path, AfterValidator(_absolute)]
Host: TypeAlias = Annotated[str, AfterValidator(_plain_host)]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]
Mebibytes: TypeAlias = Annotated[int, Field(ge=1, le=MOST_MIB)]
Seconds: TypeAlias = Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_WINDOW_S)]
"""Seconds that are looked back on, or that people have."""
Wait: TypeAlias = Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_WAIT_S)]
"""Seconds after which something is done."""
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name without control characters: it is shown on terminals and asked for in the machine's tables."""


def spelled(host: str, port: int) -> str:
    """Return ``HOST:PORT``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
