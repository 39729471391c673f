"""Makes ``Settings`` from one TOML file, then ``conf.d/*.toml`` beside it in the order of names, then the options.

Tables merge, a later value replaces an earlier one, lists of tables (``[[listen]]``, ``[[mqtt]]``) append. One error
lists all faults, each with its file, its key and a remedy.
"""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.settings.faults import Location, Origin, key_text, refusal, what_is_wrong
from vetlla.settings.model import Listen, Settings
from vetlla.settings.section import host_and_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST = 1 << 20
"""Largest file in bytes: a hundred times the example. A wrong file, such as a log, must not fill the memory."""


def load(path: Path | None, *, state_dir: Path | None = None, listen: Sequence[str] = ()) -> Settings:
    """Return the settings of a configuration file, changed by the options. Without a file, start from the defaults.

    ``listen`` holds texts ``PROTOCOL=HOST:PORT`` and replaces the file's listeners and brokers. Raises ConfigError for
    a fault in the files, UsageError for a fault in the options.
    """
    values: dict[str, Any] = {}
    origins: dict[Location, Origin] = {}
    for file in files(path) if path else ():
        _merge(values, _parse(file), file, origins)
    if state_dir:
        values["state_dir"] = str(state_dir.absolute())
    if listen:
        # Leave out the brokers, or a receiver that is started by hand takes over the MQTT session of the first one.
        values.pop("mqtt", None)
        values["listen"] = [option.model_dump(mode="json") for option in _listeners(listen)]
    if path is None or listen:
        # This receiver may run beside the one that systemd started, so take any free port; `vetlla status` shows it.
        http = values.setdefault("http", {})
        if isinstance(http, dict):
            http.setdefault("port", 0)
    try:
        # Use JSON: only there does strict validation still turn texts and lists into paths, enumerations and tuples.
        return Settings.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise refusal(error, origins, path) from error


def files(path: Path) -> list[Path]:
    """Return the files of a configuration, in the order in which they are read."""
    folder = path.parent / "conf.d"
    try:
        return [path, *sorted(file for file in folder.iterdir() if file.suffix == ".toml")]
    except FileNotFoundError:
        return [path]
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}", remedy="let the user that runs Vetlla read it") from error


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomlfile.document(tomlfile.read(file, at_most=LARGEST))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file}: no such file", remedy="copy config/vetlla.toml there and edit it, or set another with --config"
        ) from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ConfigError(
                f"{file}: longer than {LARGEST} bytes", remedy="name a configuration file such as config/vetlla.toml"
            ) from error
        remedy = "let the user that runs Vetlla read this file"
        if isinstance(error, IsADirectoryError):
            remedy = f"name a file, such as {file / 'vetlla.toml'}"
        raise ConfigError(f"{file}: {error.strerror}", remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{file}: byte {error.start} is not UTF-8 text", remedy="save the file with UTF-8 encoding"
        ) from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits raises a plain ValueError
        raise ConfigError(f"{file}: not TOML: {error}", remedy="correct that line; put texts in quotes") from error


def _merge(
    into: dict[str, Any], table: dict[str, Any], file: Path, origins: dict[Location, Origin], at: Location = ()
) -> None:
    for key, value in table.items():
        here = (*at, key)
        present = into.get(key)
        if isinstance(value, dict):
            origins.setdefault(here, Origin(file))
            into[key] = present if isinstance(present, dict) else {}
            _merge(into[key], value, file, origins, here)
        elif value and isinstance(value, list) and isinstance(present, list | None) and isinstance(value[0], dict):
            into[key] = present or []
            for number, entry in enumerate(value, start=1):
                origins[(*here, len(into[key]))] = Origin(file, number)
                into[key].append(entry)
        else:
            into[key] = value
            origins[here] = Origin(file)


def _listeners(options: Sequence[str]) -> list[Listen]:
    listeners: list[Listen] = []
    for option in options:
        protocol, equals, address = option.partition("=")
        found = host_and_port(address)
        if not (protocol and equals) or found is None:
            raise UsageError(
                f"--listen {option}: not PROTOCOL=HOST:PORT",
                remedy="write it like dc09=0.0.0.0:9009 or dc09=[::1]:0 (port 0 picks a free one)",
            )
        same = sum(listener.protocol == protocol for listener in listeners)
        try:
            listeners.append(
                Listen(
                    protocol=protocol,
                    name=f"{protocol}-{same + 1}" if same else protocol,
                    host=found[0],
                    port=found[1],
                )
            )
        except ValidationError as error:
            details = error.errors()[0]
            raise UsageError(
                f"--listen {option}: {key_text(details['loc'])} {what_is_wrong(details)}",
                remedy="write it like dc09=0.0.0.0:9009",
            ) from error
    return listeners
