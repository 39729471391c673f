"""``vetlla check-config``: says whether the receiver would start with a configuration, and what is risky in it."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.options import DEFAULT_CONFIG, AsJson, configuration_file
from vetlla.cli.output import console, print_json
from vetlla.clock import SystemClock
from vetlla.errors import ConfigError, StoreError
from vetlla.protocols.registry import load_protocols
from vetlla.receiver import knowledge, risks
from vetlla.receiver.listeners.bind import spoken
from vetlla.receiver.risks import Risk
from vetlla.settings.load import files, load
from vetlla.store.registry import REGISTRY

if TYPE_CHECKING:
    from vetlla.receiver.knowledge import Knowledge
    from vetlla.settings.model import Listen, Settings


def check_config(
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
    """Check a configuration with its keys and accounts: every fault, and what is allowed but risky.

    Run it as the receiver's user, or files that only it can read are told as risks. It changes nothing.

    Exit status: 0 usable, 78 not.

    Example: sudo -u vetlla vetlla check-config --config /etc/vetlla/vetlla.toml
    """
    path = config or configuration_file() or DEFAULT_CONFIG
    try:
        report = _check(path, state_dir)
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "error": error.args[0], "remedy": error.remedy})
        raise
    if as_json:
        print_json(report)
    else:
        _print(report)


def _check(path: Path, state_dir: Path | None) -> dict[str, Any]:
    settings = load(path, state_dir=state_dir)
    listeners = _listeners(path, settings)
    read = files(path)
    known, found = _known(settings)
    found += [*risks.of_files(settings, read), *risks.of_policy(settings)]
    if known:
        found += risks.of_accounts(known.book, known.keys)
    return {
        "ok": True,
        "files": [str(file) for file in read],
        "state_dir": str(settings.state_dir),
        "keys_file": str(settings.keys_file),
        "listen": [
            listen.model_dump(mode="json", include={"name", "protocol", "transports"})
            | {"address": listen.address, "tls": listen.tls is not None}
            for listen in listeners
        ],
        "mqtt": [
            broker.model_dump(mode="json", include={"name", "node", "share"})
            | {"address": broker.address, "tls": broker.tls is not None}
            for broker in settings.mqtt
        ],
        "accounts": len(known.book) if known else None,
        "keys": len(known.keys) if known else None,
        "warnings": [risk._asdict() for risk in found],
    }


def _listeners(path: Path, settings: Settings) -> list[Listen]:
    if not settings.listen and not settings.mqtt:
        raise ConfigError(f"{path}: nothing to listen on", remedy="add a [[listen]] table, as config/vetlla.toml shows")
    protocols = load_protocols()
    for listen in settings.listen:
        if listen.protocol not in protocols:
            close = get_close_matches(listen.protocol, protocols, n=1)
            raise ConfigError(
                f"{path}: listen {listen.name}: unknown protocol {listen.protocol!r}",
                remedy=f'did you mean "{close[0]}"?' if close else f"one of {', '.join(protocols)}",
            )
    return [spoken(listen, protocols[listen.protocol]) for listen in settings.listen]


def _known(settings: Settings) -> tuple[Knowledge | None, list[Risk]]:
    """Read accounts and keys as the receiver would; None, with the risk, where this user may not."""
    hidden = [file for file in (settings.state_dir / REGISTRY, settings.keys_file) if not _may_read(file)]
    if hidden or not settings.state_dir.is_dir():
        remedy = "run this as the receiver's user: sudo -u vetlla"
        return None, [Risk(str(file), "not checked: this user cannot read it", remedy) for file in hidden]
    try:
        return knowledge.read(settings, SystemClock()), []
    except StoreError as error:  # the receiver would not start, whatever the family
        raise ConfigError(error.args[0], remedy=error.remedy) from error


def _may_read(file: Path) -> bool:
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return os.access(file, os.R_OK, effective_ids=True)


def _print(report: dict[str, Any]) -> None:
    out = console()
    file, *more = report["files"]
    out.print(f"{file}{f' and {len(more)} of conf.d' if more else ''}: usable", markup=False)
    for listen in report["listen"]:
        tls = " with TLS" if listen["tls"] else ""
        transports = " and ".join(listen["transports"])
        out.print(
            f"  {listen['name']}: {listen['protocol']} over {transports}{tls} on {listen['address']}", markup=False
        )
    for broker in report["mqtt"]:
        tls = " with TLS" if broker["tls"] else ""
        out.print(f"  {broker['name']}: MQTT as {broker['node']}{tls} at {broker['address']}", markup=False)
    out.print(f"  state directory {report['state_dir']}, keys {report['keys_file']}", markup=False)
    if report["accounts"] is not None:
        out.print(f"  {report['accounts']} accounts, {report['keys']} keys", markup=False)
    for warning in report["warnings"]:
        out.print(
            f"warning: {warning['where']}: {warning['what']}\n  -> {warning['remedy']}", markup=False, style="yellow"
        )
