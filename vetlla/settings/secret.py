"""Reads a secret that stands outside the configuration: a file of its own, or a credential of systemd."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Final

from vetlla.domain.errors import ConfigError
from vetlla.domain.plainfile import open_file

LONGEST_SECRET: Final = 65_535
"""Most characters of a secret; MQTT allows no longer password (MQTT 5.0, 3.1.3.6)."""


class NoCredentialError(ConfigError):
    """A secret is a credential of systemd, and systemd did not start this process."""


def read_secret(secret: Path | str, who: str) -> str:
    """Return the first line of a file, or of the credential with a name (``LoadCredential=``).

    ``who`` begins the error, such as ``mqtt north``. Raises ConfigError if the file cannot be used, or every user can
    read it.
    """
    file = secret if isinstance(secret, Path) else _credential(secret, who)
    try:
        if file.stat().st_mode & 0o007:
            raise ConfigError(f"{who}: every user can read {file}", remedy=f"chmod o= {file}")
        with io.TextIOWrapper(open_file(file), encoding="utf-8") as text:
            found = text.readline(LONGEST_SECRET).splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        why = error.strerror if isinstance(error, OSError) else "its first line is not a password"
        raise ConfigError(
            f"{who}: {file}: {why}", remedy="write the secret there, only for the daemon's user"
        ) from error
    if not found.strip():
        raise ConfigError(f"{who}: {file}: its first line is empty", remedy="write the secret there")
    return found


def _credential(name: str, who: str) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise NoCredentialError(
            f"{who}: there is no credential {name}: systemd did not start this process",
            remedy=f"set CREDENTIALS_DIRECTORY to a folder that has a file {name}, or name a file by its whole path",
        )
    return Path(folder) / name
