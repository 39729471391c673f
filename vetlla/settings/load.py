"""Makes ``Settings`` from the files of a configuration, then the options.

One error lists all faults, each with its file, its key and a remedy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vetlla.domain.errors import UsageError
from vetlla.settings.faults import Guide, key_text, refusal, what_is_wrong
from vetlla.settings.files import Tree, read
from vetlla.settings.listen import Listen
from vetlla.settings.model import Settings
from vetlla.settings.section import host_and_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GUIDE = Guide(Settings, "config/vetlla.toml", "docs/configuration.md")


def load(path: Path | None, *, state_dir: Path | None = None, listen: Sequence[str] = ()) -> Settings:
    """Return the settings of a configuration file, changed by the options. Without a file, start from the defaults.

    ``listen`` holds texts ``PROTOCOL=HOST:PORT`` and replaces the file's listeners of every kind. Raises
    ConfigError for a fault in the files, UsageError for a fault in the options.
    """
    tree = read(path, GUIDE.example) if path else Tree()
    values = tree.values
    if state_dir:
        values["state_dir"] = str(state_dir.absolute())
    if listen:
        # Leave out brokers, line receivers and spools, or a receiver that is started by hand takes over the first one's
        # MQTT session, the messages of its line receivers, and its files.
        values.pop("sip", None)
        values.pop("mqtt", None)
        values.pop("line", None)
        values.pop("spool", None)
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
        raise refusal(error, tree.origins, path, GUIDE) from error


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
