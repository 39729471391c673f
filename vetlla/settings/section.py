"""What every table of the configuration is made of: strict sections, and the kinds of values that several share."""

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """One table: frozen, without unknown keys."""

    # Strict: TOML has types, so `port = "9009"` or `connections = true` is a slip to be told, not to be converted.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        # A daemon's working directory is whatever started it: a relative path would mean another file each time.
        raise ValueError("should be an absolute path")
    return path


def _plain_host(host: str) -> str:
    if not host or any(character.isspace() or character in "[]/" for character in host):
        raise ValueError('should be an address or a host name, such as "0.0.0.0", "::1" or "arc.example"')
    return host


AbsolutePath: TypeAlias = Annotated[Path, AfterValidator(_absolute)]
Host: TypeAlias = Annotated[str, AfterValidator(_plain_host)]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]


def spelled(host: str, port: int) -> str:
    """Return ``HOST:PORT``, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
