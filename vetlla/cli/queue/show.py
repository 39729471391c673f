"""``vetlla queue show`` shows everything about one alarm, open or closed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.text import Text

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.items import stored_fields
from vetlla.cli.kit.moments import Utc, shown, span, stamp_us, time_of_day
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.queue import rows
from vetlla.cli.queue.card import NoCard, fields_beside, show_beside
from vetlla.cli.queue.words import done
from vetlla.cli.signals.sheet import labelled, remarks
from vetlla.domain.clock import SystemClock, iso
from vetlla.domain.errors import AccessError, LinkError, StoreError, UsageError
from vetlla.domain.signals import Phase
from vetlla.receiver.control.messages.queue import ShowAlarm
from vetlla.receiver.queue.alarm_view import AlarmView
from vetlla.service.queue import order
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from vetlla.domain.alarms import Alarm, Tally
    from vetlla.receiver.control.messages.queue import AlarmFields
    from vetlla.store.journal.batch import Note
    from vetlla.store.journal.stored import Record, Stored

AlarmNumber = Annotated[int, typer.Argument(metavar="ALARM", help="Number of the alarm.")]
SHOWN = 500
"""Most signals, and most audit records, that are shown of one alarm: the newest."""


class Past(NamedTuple):
    """What the journal has about an alarm."""

    alarm: Alarm
    tally: Tally
    signals: Sequence[Stored]
    """The newest signals."""
    again: Mapping[int, history.Duplicate]
    """Number of a signal -> its last repetition."""
    notes: Sequence[Note]
    records: Sequence[Record]


def show(
    alarm: AlarmNumber,
    no_card: NoCard = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show everything about an alarm, open or closed: clocks, signals, repetitions, who did what and when, notes.

    Below it stands the card of the home in short. The reading is recorded with the alarm as its reason.

    The clocks of an open alarm are the running receiver's; the rest is read from the journal.

    Example: vetlla queue show 7
    """
    fields, past = _on_desk(state_dir, alarm), None
    try:
        past = _past(state_dir, alarm)
    except (StoreError, AccessError) as error:
        if fields is None:
            raise
        talk().print(f"signals and history cannot be shown: {error}", style="yellow", soft_wrap=True)
    if fields is None:
        if past is None:
            raise UsageError(f"there is no alarm {alarm}", remedy="vetlla queue list shows the open ones")
        fields = _as_kept(past)
    if as_json:
        card = fields_beside(state_dir, fields["home"], alarm, no_card=no_card)
        print_json({"alarm": fields, **_past_fields(past), **card})
        return
    for line in _sheet(fields, past):
        console().print(line, soft_wrap=True)
    show_beside(state_dir, fields["home"], alarm, no_card=no_card)


# --- what is known ----------------------------------------------------------------------------------------------------


def _on_desk(state_dir: Path, number: int) -> AlarmFields | None:
    """Return an open alarm as the receiver has it; None if it is not open, or no receiver runs."""
    try:
        return ask(state_dir, ShowAlarm(alarm=number))
    except UsageError:
        return None
    except LinkError as error:
        talk().print(f"shown as the journal has it, because {error.args[0]}", style="yellow", soft_wrap=True)
        return None


def _past(state_dir: Path, number: int) -> Past | None:
    with Archive(state_dir) as archive:
        alarm = history.alarm(archive, number)
        if alarm is None:
            return None
        signals = list(history.newest(archive, history.signals(alarm=number), SHOWN))
        repeated = [one.id for one in signals if one.duplicates]
        until_us = None if alarm.closed_us is None else alarm.closed_us + history.STEP_US
        about = history.records(
            subjects=[f"alarm {number}"], since_us=alarm.opened_us - history.STEP_US, until_us=until_us
        )
        return Past(
            alarm,
            history.tally(archive, number),
            signals,
            {one: found for one in repeated if (found := history.last_duplicate(archive, one))},
            history.notes(archive, number),
            list(history.newest(archive, about, SHOWN)),
        )


def _as_kept(past: Past) -> AlarmFields:
    """Return the fields that the receiver would send, for an alarm that it does not have in its queue."""
    alarm = past.alarm
    if alarm.closed_us is None:  # no receiver runs, and its monotonic clock means nothing here
        alarm = order.after_reboot(alarm, alarm.boot)
    return AlarmView(alarm, past.tally).fields(SystemClock().now())


def _past_fields(past: Past | None) -> dict[str, Any]:
    if past is None:
        return {"signals": None, "notes": None, "history": None}
    return {
        "signals": [stored_fields(one) | _again_fields(past.again.get(one.id)) for one in past.signals],
        "notes": [{"at": iso(note.at_us), "operator": note.operator, "text": note.text} for note in past.notes],
        "history": [
            {"at": iso(one.at_us), "actor": one.actor, "action": one.action, "detail": one.detail}
            for one in past.records
        ],
    }


def _again_fields(again: history.Duplicate | None) -> dict[str, Any]:
    return {"last_told_again": iso(again.last_us) if again else None}


# --- what a person reads ----------------------------------------------------------------------------------------------


def _sheet(alarm: AlarmFields, past: Past | None) -> Iterator[Text]:
    holder = f" by {alarm['operator']}" if alarm["operator"] else ""
    ended = f": {alarm['outcome']}" if alarm["outcome"] else ""
    title = f"Alarm {alarm['id']}  {alarm['priority']}  {alarm['state']}{holder}{ended}"
    yield Text(title, style="bold")
    yield from labelled(_about(alarm))
    yield Text("Clocks", style="bold")
    yield from labelled(_clocks(alarm))
    if past is None:
        return
    yield Text("Signals", style="bold")
    for one in past.signals:
        yield Text(f"  {one.id:>6}  {shown(one.received_us)}  {_signal(one, past.again.get(one.id))}")
    yield Text("Who did what", style="bold")
    texts = {(note.at_us, note.operator): note.text for note in past.notes}
    for record in past.records:
        detail = dict(record.detail)
        if record.action == "note":
            with suppress(KeyError):
                detail["text"] = texts[record.at_us, record.actor]
        did = done(record.action, record.actor, detail)
        yield Text(f"  {shown(record.at_us)}  {record.actor} {did}")


def _about(alarm: AlarmFields) -> Iterator[tuple[str, str]]:
    yield "home", alarm["home"]
    yield "account", alarm["account"]
    yield "why", alarm["why"]
    yield "marks", ", ".join(rows.MARKS[letter] for letter in rows.marks(alarm).replace(" ", ""))
    yield "told again", rows.told_again(alarm).removeprefix("told again ")
    yield "supervisor", rows.asks(alarm)
    yield "continues", f"alarm {alarm['chained_to']}" if alarm["chained_to"] else ""


def _clocks(alarm: AlarmFields) -> Iterator[tuple[str, str]]:
    running = "" if alarm["answered"] or alarm["closed"] else " so far"
    beside = {
        "established": f"age {span(alarm['age_s'])}",
        "ready": "" if alarm["t2_s"] is None else f"t2 {alarm['t2_s']:.3f} s",
        "answered": "" if alarm["t3_s"] is None else f"t3 {alarm['t3_s']:.1f} s{running}",
    }
    labels = {"overdue": "escalated at", "lapsed": "left at"}
    for stamp in ("established", "opened", "ready", "warned", "overdue", "claimed", "answered", "lapsed", "closed"):
        at = shown(stamp_us(known)) if isinstance(known := alarm.get(stamp), str) else ""
        text = "   ".join(part for part in (at, beside.get(stamp, "")) if part)
        yield labels.get(stamp, stamp), text
    if alarm["lease_s"]:
        yield "lease", f"{span(alarm['lease_s'])} left"
    if alarm.get("due_s") is not None:
        yield "supervisor in", f"{span(alarm['due_s'])}, unless an operator acts"


def _signal(stored: Stored, again: history.Duplicate | None) -> str:
    event, device = stored.signal.event, stored.signal.device
    phase = "" if event.phase is Phase.NEW else f" ({event.phase.value})"
    often = f"last told again at {time_of_day(again.last_us)}" if again else ""
    what = f"{event.kind.value} {event.code}{f' from {device}' if device else ''}{phase}"
    return "  ".join(part for part in (what, stored.signal.text, remarks(stored), often) if part)
