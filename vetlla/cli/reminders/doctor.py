"""``vetlla reminders doctor`` checks whether the reminder service and everything around it works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vetlla.checks.reminders.doctor import examine
from vetlla.cli.kit.findings import print_findings
from vetlla.cli.kit.options import AsJson
from vetlla.cli.reminders.database import CLOCK
from vetlla.cli.reminders.options import Configuration, OtherStateDir, required_settings
from vetlla.domain.errors import ConfigError
from vetlla.domain.findings import Finding, of_error

if TYPE_CHECKING:
    from pathlib import Path


def reminders_doctor(*, config: Configuration = None, state_dir: OtherStateDir = None, as_json: AsJson = False) -> None:
    """Check the reminder service: its data, the queue system, the providers, the webhooks, the texts.

    The command asks each source for the appointments of today, Meta for the number and the templates, and calls the
    public address of the webhooks as the providers do. It changes nothing and sends no message. Run it as the service's
    user: what another user may not see is reported as UNKNOWN.

    Exit status: 0 all well, 1 warnings, 2 something keeps citizens from their messages, 3 something could not be
    checked.

    Example: sudo -u vetlla vetlla reminders doctor --config /etc/vetlla/reminders/reminders.toml
    """
    findings = _findings(config, state_dir)
    print_findings(findings, as_json=as_json)


def _findings(config: Path | None, state_dir: Path | None) -> list[Finding]:
    try:
        settings = required_settings(config, state_dir)
    except ConfigError as error:
        return [of_error("configuration", error)]
    return asyncio.run(examine(settings, CLOCK))
