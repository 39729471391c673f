"""``vetlla erase`` destroys what was kept of a home that left, and certifies it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vetlla.cli.erase import certificate
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.confirming import confirm
from vetlla.cli.kit.control import follow
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir, configured
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK, today
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import LinkError, StoreError, UsageError
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.messages.retention import EraseHome
from vetlla.receiver.retention import emergency_us
from vetlla.settings.model import Settings
from vetlla.store.journal.archive import Archive
from vetlla.store.sqlite.ownership import create
from vetlla.tasks.erasure import erase_home, erase_in_journal, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.cli.kit.progress import Tell
    from vetlla.domain.removal import Erasure, ProofFields

NOT_PROVEN = 1
"""Exit status if the journal does not prove a certificate, or something could not be destroyed."""


def erase(
    *,
    home: Annotated[str, typer.Option(metavar="CODE", help="Code of the home that left.")] = "",
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Check a certificate instead of erasing.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", readable=False, help="Directory of the certificate. Default: the current one."),
    ] = Path(),
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Destroy what was kept of a home that left, with its card, and write a certificate of it.

    Numbers, stamps, t2 and t3 stay, without the home. Backups made before still hold it: docs/retention.md says what to
    do. A running receiver does the work, and only supervisors may ask it. The same command completes an interrupted
    erasure.

    Exit status: 1 signals were left that were changed by hand, or with --check: the journal does not prove the
    certificate.

    Example: vetlla erase --home H-0017 --dry-run
    """
    if check is not None:
        _check(check, state_dir, as_json=as_json)
    if not home:
        raise UsageError("no home is named", remedy="vetlla erase --home CODE, or --check CERTIFICATE")
    with progress(f"looking for home {home}") as tell:
        found = find(state_dir, CLOCK, home, by=actor(), today=today(), window_us=_window_us(), tell=tell)
    if dry_run:
        _tell(home, found.counts, as_json=as_json, would=True)
        return
    confirm(f"Destroy these data of home {home}?", (f"  {line}" for line in certificate.lines(found.counts)), yes=yes)
    with _certificate(out, home) as (document, page):
        with progress(f"erasing home {home}") as tell:
            erasure = found.erasure
            proof = erase_home(
                state_dir, CLOCK, erasure, today(), lambda registry: _in_journal(state_dir, erasure, registry, tell)
            )
        content = certificate.made(home, proof)
        certificate.write(content, document, page)
    with verdict(NOT_PROVEN if content["left"] else 0):
        if as_json:
            print_json(content | {"certificate": str(document)})
        else:
            _tell(home, content["destroyed"], as_json=False, would=False)
            if content["left"]:
                left = f"left: {content['left']:,} signals that were changed by hand, or that came meanwhile"
                console().print(f"{left}: vetlla audit verify", soft_wrap=True)
            console().print(f"certificate: {document}, {page}", soft_wrap=True)


def _window_us() -> int:
    return emergency_us(configured() or Settings())


@contextmanager
def _certificate(directory: Path, home: str) -> Iterator[tuple[Path, Path]]:
    """Make the files of a certificate before anything is destroyed; remove them if the erasure fails."""
    stamp = to_datetime(CLOCK.now().utc_us).strftime("%Y%m%dT%H%M%SZ")
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in home)
    paths = directory / f"erasure-{name}-{stamp}.json", directory / f"erasure-{name}-{stamp}.txt"
    made: list[Path] = []
    try:
        for path in paths:
            try:
                os.close(create(path, 0o640))
            except OSError as error:
                raise StoreError(
                    f"{path}: cannot be written: {error.strerror}", remedy="name another directory: --out DIR"
                ) from error
            made.append(path)
        yield paths
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _in_journal(state_dir: Path, erasure: Erasure, registry: Mapping[str, int], tell: Tell) -> ProofFields:
    try:
        return _by_receiver(state_dir, erasure, registry, tell)
    except LinkError:
        if (state_dir / CONTROL_SOCKET).exists():
            talk().print("no receiver answers: this command changes the journal itself", style="yellow")
    return erase_in_journal(
        state_dir,
        CLOCK,
        erasure,
        registry,
        window_us=_window_us(),
        tell=lambda what: tell(0, 0, f"erasing {what}"),
    )


def _by_receiver(state_dir: Path, erasure: Erasure, registry: Mapping[str, int], tell: Tell) -> ProofFields:
    request = EraseHome(
        home=erasure.home,
        accounts=erasure.accounts,
        others=erasure.others,
        by=erasure.by,
        registry=dict(registry),
    )
    for event in follow(state_dir, request):
        if event["event"] == "done":
            return cast("ProofFields", {name: value for name, value in event.items() if name != "event"})
        tell(0, 0, ", ".join(f"{rows:,} {what}" for what, rows in event["removed"].items() if rows))
    raise LinkError("the receiver ended before it was done", remedy="run the command again: it goes on where it ended")


def _tell(home: str, counts: Mapping[str, int], *, as_json: bool, would: bool) -> None:
    if as_json:
        print_json({"home": home, "destroyed": dict(counts), "dry_run": would})
        return
    console().print(f"home {home}: {'would be destroyed' if would else 'destroyed'}")
    for line in certificate.lines(counts):
        console().print(f"  {line}")


def _check(path: Path, state_dir: Path, *, as_json: bool) -> None:
    content = certificate.read(path)
    with Archive(state_dir) as archive:
        flaws = list(certificate.flaws(content, archive.read))
    with verdict(NOT_PROVEN if flaws else 0):
        if as_json:
            print_json({"certificate": str(path), "proven": not flaws, "flaws": flaws})
        else:
            for flaw in flaws:
                console().print(flaw, soft_wrap=True)
            if not flaws:
                console().print(f"{path}: proven by audit record {content['record']}", soft_wrap=True)
