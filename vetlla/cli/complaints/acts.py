"""``vetlla complaints open``, ``acknowledge``, ``answer`` and ``judge``."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.complaints.rows import ComplaintNumber, print_complaint
from vetlla.cli.kit.duty_rows import Entry
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.column_types import MAX_TEXT, is_short
from vetlla.domain.errors import UsageError
from vetlla.service.complaints.complaint import CityVerdict, ComplaintKind, complaint
from vetlla.service.duties.kinds import THE_SERVICE
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.complaints import desk
from vetlla.tasks.duties import book


def _topic(text: str) -> str:
    if not is_short(text):
        raise typer.BadParameter(f"holds at most {MAX_TEXT} printable characters")
    return text.strip()


@with_option_groups
def open_complaint(
    home: Annotated[str, typer.Argument(metavar="[HOME]", help="Code of the home that it is about.")] = "",
    service: Annotated[bool, typer.Option("--service", help="It is about the service and no home.")] = False,
    kind: Annotated[ComplaintKind, typer.Option("--kind", help="What it is.")] = ComplaintKind.COMPLAINT,
    topic: Annotated[
        str, typer.Option("--topic", parser=_topic, metavar="WORD", help="What it is about, such as punctuality.")
    ] = "",
    *,
    entry: Entry,
) -> None:
    """Record that a complaint, claim or suggestion arrived: it must be answered within 7 days.

    Write no personal data into topics, numbers and notes: no name, telephone or address. They stand in reports.

    Example: vetlla complaints open H000123 --kind claim --topic punctuality --ref Q-2026-118 --at 2026-11-20T10:30
    """
    if bool(home) == service:
        raise UsageError("it is about one home, or about the service", remedy="name a home, or give --service")
    rules = entry.rules()
    told = entry.told(kind.value, home or THE_SERVICE, "", topic=topic)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        made = book.open_duty(connection, rules, told, entry.recording("complaints open"))
    print_complaint(complaint(made), as_json=entry.as_json)


@with_option_groups
def acknowledge(number: ComplaintNumber, *, entry: Entry) -> None:
    """Record that its arrival was acknowledged to the person. The clock to answer runs on.

    Example: vetlla complaints acknowledge 4711 --at 2026-11-20T12:00
    """
    _act(number, "acknowledged", "acknowledge", entry)


@with_option_groups
def answer(number: ComplaintNumber, *, entry: Entry) -> None:
    """Record that it was answered: its clock ends.

    Example: vetlla complaints answer 4711 --at 2026-11-25 --ref S-2026-901
    """
    _act(number, "answered", "answer", entry)


@with_option_groups
def judge(
    number: ComplaintNumber,
    verdict: Annotated[
        CityVerdict, typer.Argument(metavar="VERDICT", help="What the city decided: pertinent or not_pertinent.")
    ],
    *,
    entry: Entry,
) -> None:
    """Record the city's verdict on a complaint or claim. A later verdict replaces an earlier one.

    Example: vetlla complaints judge 4711 pertinent --at 2026-12-02
    """
    _act(number, verdict.value, "judge", entry)


def _act(number: int, event: str, command: str, entry: Entry) -> None:
    rules = entry.rules()
    told = entry.told("", "", event)
    recording = entry.recording(f"complaints {command}")
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        desk.complaint_of(connection, rules, number, recording.now_us)  # and no other duty
        done = book.record(connection, rules, number, told, recording)
    print_complaint(complaint(done), as_json=entry.as_json)
