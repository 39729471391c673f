"""``vetlla doctor``: whether this machine is fit to run the receiver."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from vetlla.cli.control import ask
from vetlla.cli.exits import Nagios
from vetlla.cli.options import DEFAULT_CONFIG, AsJson, configuration_file
from vetlla.cli.output import console, print_json
from vetlla.receiver.machine import Finding, Level, examine
from vetlla.settings.load import load

_STYLE = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red"}


def doctor(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", readable=False, help=f"Default: VETLLA_CONFIG, or {DEFAULT_CONFIG}."
        ),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(envvar="VETLLA_STATE_DIR", readable=False, help="Instead of the configuration's state_dir."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check this machine: versions, state directory, room, disk, limits, clock, keys, ports, MQTT brokers, receiver.

    Run it as the receiver's user, with the receiver's state directory. It changes nothing; it times fifty flushes of a
    temporary file, and connects as the receiver to each MQTT broker that a running receiver is not connected to.

    Exit status: 0 all well, 1 warnings, 2 something that keeps the receiver from its work.

    Example: sudo -u vetlla vetlla doctor --config /etc/vetlla/vetlla.toml
    """
    # What the MQTT library tells of a broken connection is in the finding; nobody set up a log here.
    logging.getLogger("mqtt").addHandler(logging.NullHandler())
    settings = load(config or configuration_file(), state_dir=state_dir)
    findings = list(examine(settings, lambda: ask(settings.state_dir, "status")))
    if as_json:
        for finding in findings:
            print_json(_plain(finding))
    else:
        console().print(_table(findings))
    raise typer.Exit(Nagios(max(finding.level for finding in findings)))


def _plain(finding: Finding) -> dict[str, Any]:
    fields = asdict(finding)
    return {**fields, "level": finding.level.name.lower(), "figures": dict(finding.figures or {})}


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        text = f"{finding.text}\n-> {finding.remedy}" if finding.remedy else finding.text
        # As Text: what was found may hold brackets, which rich would read as its own.
        table.add_row(Text(finding.level.name, _STYLE[finding.level]), Text(finding.check), Text(text))
    return table
