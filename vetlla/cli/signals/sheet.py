"""Shows all that is known about one signal, as one sheet for a person and as fields for a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from vetlla.cli.kit.items import stored_fields
from vetlla.cli.kit.moments import shown, time_of_day, to_the_second
from vetlla.domain.clock import iso, to_us
from vetlla.domain.printable import printable
from vetlla.domain.signals import Flag
from vetlla.service.queue.triage import age

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.alarms import Alarm
    from vetlla.store.journal.batch import Note
    from vetlla.store.journal.history import Duplicate
    from vetlla.store.journal.stored import Stored

DUMP_WIDTH = 16
LABEL_WIDTH = 14


def remarks(stored: Stored) -> str:
    """Return what else a person should know about a signal, in a few words."""
    signal = stored.signal
    said = {
        f"part {signal.part} of {signal.parts}": signal.parts > 1,
        f"came {stored.duplicates + 1} times": stored.duplicates > 0,
        "unknown account": Flag.UNKNOWN_ACCOUNT in stored.flags,
        "on test": Flag.ON_TEST in stored.flags,
        "runaway": Flag.RUNAWAY in stored.flags,
        "kept back by the device": signal.buffered,
        "reported before": signal.repeated,
    }
    return ", ".join(words for words, true in said.items() if true)


def sheet_fields(stored: Stored, again: Duplicate | None, alarm: Alarm | None, notes: Sequence[Note]) -> dict[str, Any]:
    """Return the fields of a stored signal, its last duplicate, and its alarm with its notes."""
    return stored_fields(stored) | {
        "last_duplicate": again and {"received": iso(again.last_us), "transport": again.transport, "peer": again.peer},
        "alarm_detail": alarm and _alarm_fields(alarm, notes),
    }


def _alarm_fields(alarm: Alarm, notes: Sequence[Note]) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "state": alarm.state.value,
        "priority": alarm.priority.name,
        "why": alarm.why,
        "operator": alarm.operator,
        "outcome": alarm.outcome and alarm.outcome.value,
        "chained_to": alarm.chained_to,
        "escalated": alarm.escalated,
        "escalated_at": iso(alarm.escalated_us),
        "escalated_by": alarm.escalated_by,
        "escalated_why": alarm.escalated_why,
        "established": iso(alarm.established_us),
        "ready": iso(alarm.ready_us),
        "claimed": iso(alarm.claimed_us),
        "answered": iso(alarm.answered_us),
        "closed": iso(alarm.closed_us),
        "t2_s": None if alarm.t2_us is None else alarm.t2_us / 1e6,
        "t3_s": None if alarm.t3_us is None else alarm.t3_us / 1e6,
        "notes": [{"at": iso(note.at_us), "operator": note.operator, "text": note.text} for note in notes],
    }


def sheet(stored: Stored, again: Duplicate | None, alarm: Alarm | None, notes: Sequence[Note]) -> Iterator[Text]:
    """Yield the lines of the sheet. An empty value has no line."""
    yield Text(f"Signal {stored.id}", style="bold")
    yield from labelled(_said(stored))
    yield Text("Stamps", style="bold")
    yield from labelled(_stamps(stored, again))
    if alarm:
        yield Text(f"Alarm {alarm.id}", style="bold")
        yield from labelled(_of_alarm(alarm))
        yield from labelled((time_of_day(note.at_us), f"{note.operator}: {note.text}") for note in notes)
    yield Text(f"Raw, {len(stored.signal.raw)} bytes", style="bold")
    yield from _dump(stored.signal.raw)


def _said(stored: Stored) -> Iterator[tuple[str, str]]:
    signal = stored.signal
    kind, phase, code, system = signal.event
    receiver, line, account = signal.id
    yield "event", f"{kind.value} ({phase.value}), {system} {code}"
    yield "priority", stored.priority.name
    yield "account", account + (f", receiver {receiver}" if receiver else "") + (f", line {line}" if line else "")
    yield "home", stored.home
    yield "device", signal.device
    yield "area", signal.area
    yield "text", signal.text
    yield "occurred", _device_time(stored)
    if position := signal.position:
        yield "position", f"{position.latitude}, {position.longitude} {position.source}".rstrip()
    yield from ((name, f"{value:g}") for name, value in signal.measurements.items())
    yield from signal.details.items()
    yield "sequence", signal.sequence
    yield "sealed with", signal.sealed_with
    yield "came by", f"{stored.listener}, {signal.protocol} over {stored.transport} from {stored.peer}"
    yield "remarks", remarks(stored)


def _device_time(stored: Stored) -> str:
    occurred = stored.signal.occurred_at
    if occurred is None:
        return ""
    how_old = age(stored.signal, stored.received_us)
    return f"{to_the_second(to_us(occurred))} by the device's clock" + (f": {how_old}" if how_old else "")


def _stamps(stored: Stored, again: Duplicate | None) -> Iterator[tuple[str, str]]:
    yield "established", shown(stored.established_us)
    yield "received", shown(stored.received_us)
    yield "committed", shown(stored.committed_us)
    yield "ready", shown(stored.ready_us) + (f"   t2 {stored.t2_us / 1e6:.3f} s" if stored.t2_us is not None else "")
    yield "answered", shown(stored.answered_us)
    yield "closed", shown(stored.closed_us)
    if again:
        yield "came again", f"{again.times} times, last {shown(again.last_us)} by {again.transport} from {again.peer}"


def _of_alarm(alarm: Alarm) -> Iterator[tuple[str, str]]:
    yield "state", alarm.state.value + (f" ({alarm.outcome.value})" if alarm.outcome else "")
    yield "why", alarm.why
    yield "operator", alarm.operator
    yield "continues", f"alarm {alarm.chained_to}" if alarm.chained_to else ""
    asked = f"{alarm.escalated} times, by {alarm.escalated_by}: {alarm.escalated_why}"
    yield "escalated", asked if alarm.escalated else ""
    yield "t2", "" if alarm.t2_us is None else f"{alarm.t2_us / 1e6:.3f} s"
    yield "t3", "" if alarm.t3_us is None else f"{alarm.t3_us / 1e6:.3f} s"


def labelled(fields: Iterator[tuple[str, str]]) -> Iterator[Text]:
    """Yield a line for each field that has a value."""
    for label, value in fields:
        if value:
            yield Text.assemble((f"  {printable(label):<{LABEL_WIDTH}}", "dim"), printable(value))


def _dump(raw: bytes) -> Iterator[Text]:
    for start in range(0, len(raw), DUMP_WIDTH):
        some = raw[start : start + DUMP_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in some)
        yield Text.assemble((f"  {start:04x}  ", "dim"), f"{some.hex(' '):<{DUMP_WIDTH * 3}} ", (text, "green"))
