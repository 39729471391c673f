"""``vetlla doctor`` checks whether this machine is fit to run the receiver."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.checks.doctor import examine
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.findings import print_findings
from vetlla.cli.kit.options import AsJson, ConfigFile, OtherStateDir, required_configuration
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.domain.findings import Finding, of_error
from vetlla.protocols.registry import load_protocols
from vetlla.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator


def doctor(
    *,
    config: ConfigFile = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the running receiver, or a machine before its first start: everything it needs and everything it keeps.

    The command asks the receiver for its configuration, sockets, certificates and limits. It looks itself at the state
    directory, disk, journal, registry and keys. It changes nothing, but times fifty flushes of a temporary file. It
    connects as the receiver to each MQTT broker that a running receiver is not connected to. Run it as the receiver's
    user: what another user may not see is reported as UNKNOWN.

    Exit status: 0 all well, 1 warnings, 2 something keeps the receiver from its work, 3 something could not be checked.

    Example: sudo -u vetlla vetlla doctor --config /etc/vetlla/vetlla.toml
    """
    findings = list(_findings(config or required_configuration(), state_dir))
    print_findings(findings, as_json=as_json)


def _findings(path: Path | None, state_dir: Path | None) -> Iterator[Finding]:
    try:
        settings = load(path, state_dir=state_dir)
    except (ConfigError, UsageError) as error:
        yield of_error("configuration", error)
        return
    yield from examine(
        settings,
        partial(ask, settings.state_dir),
        SystemClock(),
        path=path,
        protocols=load_protocols(),
    )
