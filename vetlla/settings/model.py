"""The whole configuration of the receiver; each table of the file has its own module beside this one.

Tests compare ``config/vetlla.toml`` and ``docs/configuration.md`` with this model. Durations
are seconds (``_s``), sizes mebibytes (``_mib``). Values are frozen; a reload makes new ones.
"""

import os
from math import ceil
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from vetlla.settings.broker import Mqtt
from vetlla.settings.intake import IntakeSettings
from vetlla.settings.limits import Limits
from vetlla.settings.line import Line
from vetlla.settings.listen import Listen, accepting
from vetlla.settings.log import LogSettings
from vetlla.settings.queue import QueueSettings
from vetlla.settings.retention import DAY_S, RetentionSettings
from vetlla.settings.section import (
    AbsolutePath,
    Section,
    is_here,
)
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.model import SINKS_MAX, Sink
from vetlla.settings.sip import Sip
from vetlla.settings.spool import Spool
from vetlla.settings.store import StoreSettings
from vetlla.settings.supervision import SupervisionSettings
from vetlla.settings.surfaces import ControlSettings, HttpSettings

DEFAULT_STATE_DIR = Path("/var/lib/vetlla")
KEYS_CREDENTIAL = "vetlla-keys"
"""Name of the systemd credential (``LoadCredential=vetlla-keys:...``) that may hold the keys file."""
CARDS_CREDENTIAL = "vetlla-cards"
"""Name of the systemd credential that may hold the key of the cards."""
LISTENERS_MAX = 128
"""Most listeners of one receiver, and most brokers. Supervision numbers both in one byte of each device's row."""


def _default_keys_file(data: dict[str, Any]) -> Path:
    return _credential(KEYS_CREDENTIAL) or data["state_dir"] / "keys.toml"


def default_cards_key_file(state_dir: Path) -> Path:
    """Return where the key of the cards is if no setting names its file: the systemd credential, or a file."""
    return _credential(CARDS_CREDENTIAL) or state_dir / "cards.toml"


def _credential(name: str) -> Path | None:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(credentials or "/") / name
    return path if credentials and path.exists() else None


class Settings(Section):
    """The whole configuration: the top level of the file."""

    state_dir: AbsolutePath = DEFAULT_STATE_DIR
    """Directory of the journal, the registry and the control socket."""
    keys_file: AbsolutePath = Field(default_factory=_default_keys_file)
    """Shared keys; default: the systemd credential ``vetlla-keys`` if there is one, else ``STATE_DIR/keys.toml``."""
    cards_key_file: AbsolutePath = Field(default_factory=lambda data: default_cards_key_file(data["state_dir"]))
    """Key of the cards; default: the systemd credential ``vetlla-cards``, else ``STATE_DIR/cards.toml``."""
    listen: Annotated[tuple[Listen, ...], Field(max_length=LISTENERS_MAX)] = ()
    sip: Annotated[tuple[Sip, ...], Field(max_length=LISTENERS_MAX)] = ()
    mqtt: Annotated[tuple[Mqtt, ...], Field(max_length=LISTENERS_MAX)] = ()
    line: Annotated[tuple[Line, ...], Field(max_length=LISTENERS_MAX)] = ()
    spool: Annotated[tuple[Spool, ...], Field(max_length=LISTENERS_MAX)] = ()
    sink: Annotated[tuple[Sink, ...], Field(max_length=SINKS_MAX)] = ()
    limits: Limits = Limits()
    store: StoreSettings = StoreSettings()
    queue: QueueSettings = QueueSettings()
    intake: IntakeSettings = IntakeSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    retention: RetentionSettings = RetentionSettings()
    http: HttpSettings = HttpSettings()
    control: ControlSettings = ControlSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _kept_while_in_use(self) -> "Settings":
        in_use_s = self.store.duplicate_window_s + self.queue.chain_window_s
        if self.retention.shortest_s() <= in_use_s:
            days = ceil(in_use_s / DAY_S) + 1
            raise ValueError(
                "retention: nothing should be removed within store.duplicate_window_s and queue.chain_window_s:"
                f" keep it for at least {days} days, or set 0 for ever"
            )
        return self

    @property
    def addresses(self) -> tuple[Listen, ...]:
        """All addresses on which the receiver listens for reports: of ``listen``, ``sip`` and ``line``."""
        return (*self.listen, *self.sip, *(accepting(line) for line in self.line if line.accept is not None))

    @model_validator(mode="after")
    def _addresses_apart(self) -> "Settings":
        taken: dict[tuple[str, int, str], str] = {}
        for listen in self.addresses:
            for transport in listen.transports if listen.port else ():
                other_name = taken.setdefault((listen.host, listen.port, transport), listen.name)
                if other_name != listen.name:
                    raise ValueError(f"{other_name!r} and {listen.name!r} both listen on {transport} {listen.address}")
        return self

    @model_validator(mode="after")
    def _names_apart(self) -> "Settings":
        names = [
            *(listen.name for listen in (*self.listen, *self.sip)), *(one.name for one in self.mqtt),
            *(one.name for one in self.line), *(one.name for one in self.spool),
        ]  # fmt: skip
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two listeners are called {name!r}: give one of them another name")
        return self

    @model_validator(mode="after")
    def _ports_apart(self) -> "Settings":
        ports = [line.serial for line in self.line]
        ports += [sink.serial for sink in self.sink if isinstance(sink, AutomationSink)]
        devices = [port.device for port in ports if port is not None]
        for device in devices:
            if devices.count(device) > 1:
                raise ValueError(f"two tables have the serial port {device}")
        directories = [spool.directory for spool in self.spool]
        for directory in directories:
            if directories.count(directory) > 1:
                raise ValueError(f"two spools have the directory {directory}: leave one of them out")
        return self

    @model_validator(mode="after")
    def _sinks_apart(self) -> "Settings":
        names = [sink.name for sink in self.sink]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sinks are called {name!r}: give one of them another name")
        return self

    @model_validator(mode="after")
    def _no_circle(self) -> "Settings":
        ports = {line.accept.port for line in self.line if line.accept is not None}
        for sink in self.sink:
            to = sink.connect if isinstance(sink, AutomationSink) else None
            if to is not None and to.port in ports and is_here(to.host):
                raise ValueError(f"the sink {sink.name!r} connects to a port of this receiver: signals would go round")
        return self
