"""``vetlla check-config`` checks whether the receiver would start with a configuration, and what is risky in it."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vetlla.checks import config as risks
from vetlla.checks import spools
from vetlla.checks.cards import of_cards
from vetlla.checks.config import risk
from vetlla.checks.sinks import of_settings as of_sinks
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.options import DEFAULT_CONFIG, AsJson, ConfigFile, OtherStateDir, required_configuration
from vetlla.cli.kit.output import console, print_json
from vetlla.domain import permissions
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import AccessError, ConfigError, StoreError
from vetlla.domain.permissions import explained
from vetlla.protocols.registry import load_protocols
from vetlla.receiver import registry_snapshot
from vetlla.receiver.startup import check_state_directory, prepare, together, unbindable
from vetlla.settings.files import files
from vetlla.settings.load import load
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registered import RegistryFiles
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.errors import VetllaError
    from vetlla.domain.findings import Finding
    from vetlla.receiver.registry_snapshot import RegistrySnapshot
    from vetlla.receiver.startup import Prepared
    from vetlla.settings.model import Settings


SECURED = {"tcp": "tcp with TLS"}
"""How a transport of a listener with certificates is shown. Datagrams have no TLS, because it needs a connection."""


def check_config(
    *,
    config: ConfigFile = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """Check a configuration with its keys and accounts: list every fault, and what is allowed but risky.

    The receiver refuses the same faults when it starts or reloads. This command changes nothing.

    Exit status: 0 usable, 78 not usable, 77 this user may not check everything: run it as the receiver's user.

    Example: sudo -u vetlla vetlla check-config --config /etc/vetlla/vetlla.toml
    """
    path = config or required_configuration() or DEFAULT_CONFIG
    try:
        report, closed = _check(path, state_dir)
    except ConfigError as error:
        if as_json:
            refusal = explained(error)
            print_json({"ok": False, "error": refusal.args[0], "remedy": refusal.remedy})
        raise
    if as_json:
        print_json(report)
    else:
        _print(report)
    if closed:
        raise AccessError(
            f"not checked: {'; '.join(error.args[0] for error in closed)}",
            remedy="run this as the receiver's user: sudo -u vetlla vetlla check-config",
        )


def _check(path: Path, state_dir: Path | None) -> tuple[dict[str, Any], list[VetllaError]]:
    """Return what would run, and what this user is not allowed to check."""
    settings = load(path, state_dir=state_dir)
    prepared = prepare(settings, load_protocols())
    faults, closed = _sorted(prepared.faults)
    found: list[Finding] = []
    for fault in () if faults else unbindable(settings):
        match getattr(fault.__cause__, "errno", None):
            case errno.EADDRINUSE:
                pass  # the running receiver usually has it; `vetlla doctor` tells it apart from other programs
            case errno.EACCES:
                found.append(risk("listen", fault.args[0], fault.remedy))
            case _:
                faults.append(fault)
    if faults:
        raise together(tuple(faults))
    known, more = _known(settings)
    closed += more
    read = files(path)
    found += [*risks.of_files(settings, read), *risks.of_certificates(prepared.certificates, datetime.now(UTC))]
    found += [finding for spool in settings.spool for finding in spools.risks_of(spool)]
    found += [*risks.of_policy(settings), *(risks.of_accounts(known.book, known.registered.keys) if known else ())]
    found += of_cards(settings)
    found += of_sinks(settings.sink, known.book if known else None, datetime.now(UTC))
    return _report(settings, prepared, read, known, found, closed), closed


def _sorted(faults: Iterable[ConfigError]) -> tuple[list[ConfigError], list[VetllaError]]:
    """Return the faults that stop every start, and those that arise only because this user is not the receiver's."""
    wrong: list[ConfigError] = []
    closed: list[VetllaError] = []
    for fault in faults:
        refusal = explained(fault)
        if isinstance(refusal, AccessError):
            closed.append(refusal)
        else:
            wrong.append(fault)
    return wrong, closed


def _report(
    settings: Settings,
    prepared: Prepared,
    read: list[Path],
    known: RegistrySnapshot | None,
    found: list[Finding],
    closed: list[VetllaError],
) -> dict[str, Any]:
    return {
        "ok": not closed,
        "files": [str(file) for file in read],
        "state_dir": str(settings.state_dir),
        "keys_file": str(settings.keys_file),
        "listen": [
            listen.model_dump(mode="json", include={"name", "protocol", "transports"})
            | {"address": listen.address, "tls": listen.tls is not None}
            for listen in (*(entrance.listen for entrance in prepared.entrances), *settings.sip)
        ],
        "mqtt": [
            broker.model_dump(mode="json", include={"name", "node", "share"})
            | {"address": broker.address, "tls": broker.tls is not None}
            for broker in settings.mqtt
        ],
        "line": [{"name": line.name, "protocol": line.protocol, "place": line.place} for line in settings.line],
        "spool": [spool.model_dump(mode="json", include={"name", "directory"}) for spool in settings.spool],
        "sinks": [{"name": sink.name, "kind": sink.kind} for sink in settings.sink],
        "certificates": [
            {"name": one.name, "use": one.use, "file": str(one.file), "not_after": one.not_after.isoformat()}
            for one in prepared.certificates
        ],
        "accounts": len(known.registered.book) if known else None,
        "keys": len(known.registered.keys) if known else None,
        "warnings": [fields(finding) for finding in found],
        "not_checked": [error.args[0] for error in closed],
    }


def _known(settings: Settings) -> tuple[RegistrySnapshot | None, list[VetllaError]]:
    """Read journal, accounts and keys as the receiver would. Return None and the reasons if this user may not."""
    state_dir = settings.state_dir
    found = (
        permissions.obstacle(file, writing=False)
        for file in (state_dir / JOURNAL, state_dir / REGISTRY, settings.keys_file)
    )
    closed: list[VetllaError] = [AccessError(str(one)) for one in dict.fromkeys(filter(None, found))]
    try:
        check_state_directory(settings)
        known = None if closed or not state_dir.is_dir() else _read(settings)
    except AccessError as error:
        return None, closed or [error]
    except StoreError as error:  # this error would stop the start too, so it counts as a ConfigError
        raise ConfigError(error.args[0], remedy=error.remedy) from error
    return known, closed


def _read(settings: Settings) -> RegistrySnapshot:
    clock = SystemClock()
    files = RegistryFiles(settings.state_dir, settings.keys_file, clock, with_districts=bool(settings.sink))
    return registry_snapshot.read(files, settings, clock)


def _print(report: dict[str, Any]) -> None:
    out = console()
    file, *more = report["files"]
    out.print(f"{file}{f' and {len(more)} of conf.d' if more else ''}: usable")
    for listen in report["listen"]:
        ways = " and ".join(SECURED[way] if listen["tls"] else way for way in listen["transports"])
        out.print(f"  {listen['name']}: {listen['protocol']} over {ways} on {listen['address']}")
    for broker in report["mqtt"]:
        tls = " with TLS" if broker["tls"] else ""
        out.print(f"  {broker['name']}: MQTT as {broker['node']}{tls} at {broker['address']}")
    for line in report["line"]:
        out.print(f"  {line['name']}: {line['protocol']} at {line['place']}")
    for spool in report["spool"]:
        out.print(f"  {spool['name']}: files of Asterisk in {spool['directory']}")
    for sink in report["sinks"]:
        out.print(f"  sink {sink['name']}: {sink['kind']}")
    out.print(f"  state directory {report['state_dir']}, keys {report['keys_file']}")
    if report["accounts"] is not None:
        out.print(f"  {report['accounts']} accounts, {report['keys']} keys")
    for warning in report["warnings"]:
        for line in (f"warning: {warning['check']}: {warning['text']}", f"  -> {warning['remedy']}"):
            out.print(line, style="yellow")
