"""Compare the emulator's ledger with what the program under test stored.

    python -m bench.line_emulator.judge LEDGER TABLE.csv|TABLE.json [--kinds contact-id,sia] [--by-frame high-speed]

The exit status is 0 if no acknowledged message is missing, none is stored twice, no second call was taken for a
repetition, no visibly damaged message was acknowledged, nothing was stored that no message has (unless a damage of
which nothing shows was acknowledged), and the receiver's buffer never overflowed; else 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.line_emulator import ledger
from bench.line_emulator.found import Found

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

EXAMPLES = 10
"""Messages that a finding names. The counts are whole."""
KINDS = (
    "contact-id", "sia", "basic", "pulse", "high-speed", "status", "3x1", "4x1", "4x2", "system",
)  # fmt: skip
"""Kinds that a program must store. Caller ID and two-way frames are about another message or a line."""
BY_FRAME = ("high-speed", "status", "system")
"""Kinds whose stored form programs choose differently. The frame tells them apart when the table has frames."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One event that the program stored. The judge removes padding, so ``001``, ``1`` and `` 1`` are one line."""

    receiver: str
    line: str
    account: str
    code: str
    """As ``found.Found`` has it: ``E130`` (or ``1130``: a numeric qualifier) for Contact ID, ``BA``, or one letter."""
    area: str = ""
    zone: str = ""
    count: int = 1
    """How often the program has it as a separate event. Repetitions that the program recognised do not count."""
    frame: str = ""
    """Hex of the frame as stored; marks of start and end may be there or not. Optional."""
    report: str = ""
    """Name of the stored message, so that the events of one frame count once. Optional."""
    caller: str | None = None
    """Telephone number that the program joined to the event. None: the table says nothing about it."""


class StoredTable(Protocol):
    """What an adapter to a program has to offer; ``read_table`` is one for CSV and JSON files with these columns."""

    def rows(self) -> Iterable[StoredRow]:
        """Return all events of the run that the program has stored, in any order."""


@dataclass(slots=True)
class Verdict:
    """What the judge found. Counts are of messages or, for messages with several events, of their events."""

    judged: int = 0
    acknowledged_not_stored: int = 0
    stored_twice: int = 0
    second_calls: int = 0
    second_calls_swallowed: int = 0
    never_acknowledged: int = 0
    """Messages without any acknowledgement. They may be stored once or not at all."""
    damaged_acknowledged: int = 0
    """Messages of which a half or a visibly damaged copy was acknowledged, and no good one."""
    flipped_acknowledged: int = 0
    """Messages whose acknowledged copy had a damage that nothing on the line shows."""
    stored_unknown: int = 0
    """Stored events with a content that no message has."""
    callers: int = 0
    callers_wrong: int = 0
    """Events whose number is another one, or is missing although its caller ID frame was acknowledged."""
    early_answers: int = 0
    stray_answers: int = 0
    overflow: int = 0
    dropped: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing was found that must be zero."""
        return self.judged > 0 and not (
            self.acknowledged_not_stored
            or self.stored_twice
            or self.second_calls_swallowed
            or self.damaged_acknowledged
            or self.overflow
            or (self.stored_unknown and not self.flipped_acknowledged)
        )

    def show(self, name: str, example: str) -> None:
        """Keep an example of a finding."""
        if len(shown := self.examples.setdefault(name, [])) < EXAMPLES:
            shown.append(example)


@dataclass(slots=True)
class _Sent:
    """A message of the ledger and what became of it."""

    event: dict[str, Any]
    fault: str | None = None
    """Fault of the last send; None before the first."""
    promised: bool = False
    """A good copy was acknowledged; the receiver may have lost the acknowledgement."""
    damaged: bool = False
    flipped: bool = False


@dataclass(slots=True)
class _Tally:
    """All messages or events with one content."""

    promised: list[int] = field(default_factory=list)
    seconds: int = 0
    possible: int = 0
    """Sent, and no good copy acknowledged: stored or not, both are right."""
    stored: int = 0


def judge(
    path: Path, table: StoredTable, *, kinds: Collection[str] = KINDS, by_frame: Collection[str] = BY_FRAME
) -> Verdict:
    """Return what the ledger at ``path`` and the stored events say together.

    Events of ``by_frame`` need frames in the table. Rows whose frame is of a kind that is not judged are left out.
    """
    verdict = Verdict()
    sent = _sent(path, verdict)
    tallies: dict[Found | str, _Tally] = defaultdict(_Tally)
    others: set[str] = set()
    for one in sent.values():
        if one.event["kind"] in kinds:
            _expect(one, tallies, verdict, by_frame)
        else:
            others.add(_core(one.event["bytes"]))
    frames = {key for key in tallies if isinstance(key, str)}
    reports: set[tuple[str, str]] = set()
    rows = [row for row in table.rows() if not row.frame or _core(row.frame) not in others]
    for row in rows:
        _count(row, tallies, frames, reports, verdict)
    for key, tally in tallies.items():
        _compare(key, tally, verdict)
    _callers(sent.values(), rows, verdict)
    return verdict


def _sent(path: Path, verdict: Verdict) -> dict[int, _Sent]:
    sent: dict[int, _Sent] = {}
    for record in ledger.read(path):
        match record["is"]:
            case "event":
                sent[record["n"]] = _Sent(record)
            case "send":
                sent[record["n"]].fault = _fault(record, sent[record["n"]].event["bytes"])
            case "ack" if record["n"]:
                _promise(sent[record["n"]])
            case "early":
                verdict.early_answers += 1
            case "stray":
                verdict.stray_answers += len(record["hex"]) // 2
            case "overflow":
                verdict.overflow += 1
            case "dropped":
                verdict.dropped += 1
                verdict.show("dropped", f"message {record['n']}")
    return sent


def _fault(send: dict[str, Any], frame: str) -> str:
    """Return the fault of a send; a damaged end mark damages nothing of the message."""
    fault: str = send.get("fault", "")
    is_whole = fault.startswith("damage") and _core(send["bytes"])[: len(_core(frame))] == _core(frame)
    ends_damaged = is_whole and bytes.fromhex(send["bytes"])[:-1] == bytes.fromhex(frame)[:-1]
    return "end-mark" if ends_damaged else fault


def _promise(one: _Sent) -> None:
    fault = one.fault or ""
    if fault.startswith(("half", "damage-high-bit", "damage-parity")):
        one.damaged = True
    elif fault.startswith("damage-flip"):
        one.flipped = True
    else:
        one.promised = True


def _expect(
    one: _Sent, tallies: dict[Found | str, _Tally], verdict: Verdict, by_frame: Collection[str],
) -> None:  # fmt: skip
    event = one.event
    verdict.judged += 1
    number = event["n"]
    second = "second_of" in event
    verdict.second_calls += second
    if one.flipped and not one.promised:
        verdict.flipped_acknowledged += 1
    elif one.damaged and not one.promised:
        verdict.damaged_acknowledged += 1
        verdict.show("damaged_acknowledged", f"message {number}: {one.fault}")
    elif not one.promised:
        verdict.never_acknowledged += 1
        verdict.show("never_acknowledged", f"message {number}")
    keys: list[Found | str] = (
        [_core(event["bytes"])] if event["kind"] in by_frame else [Found(**item).plain() for item in event["found"]]
    )
    for key in keys:
        tally = tallies[key]
        if one.promised:
            tally.promised.append(number)
            tally.seconds += second
        elif one.fault is not None:
            tally.possible += 1


def _core(frame: str) -> str:
    """Return a frame's text without parity, marks of start and end, and a B32 header."""
    data = bytes(byte & 0x7F for byte in bytes.fromhex(frame))
    if data[:2] == b"\x00\x00":
        data = data[4:]
    return data.decode("ascii").strip("\x14\r\n ")


def _count(
    row: StoredRow,
    tallies: dict[Found | str, _Tally],
    frames: set[str],
    reports: set[tuple[str, str]],
    verdict: Verdict,
) -> None:
    key: Found | str = _of_row(row)
    if row.frame and (core := _core(row.frame)) in frames:
        if row.report and (core, row.report) in reports:
            return
        reports.add((core, row.report))
        key = core
    if key in tallies:
        tallies[key].stored += row.count
    else:
        verdict.stored_unknown += row.count
        verdict.show("stored_unknown", str(key))


def _of_row(row: StoredRow) -> Found:
    code = row.code.strip()
    if len(code) == 4 and code[0] in "136" and code[1:].isalnum():
        code = {"1": "E", "3": "R", "6": "P"}[code[0]] + code[1:]
    return Found(row.receiver, row.line, row.account, code, row.area, row.zone).plain()


def _compare(key: Found | str, tally: _Tally, verdict: Verdict) -> None:
    missing = len(tally.promised) - tally.stored
    if missing > 0:
        swallowed = min(missing, tally.seconds)
        verdict.second_calls_swallowed += swallowed
        verdict.acknowledged_not_stored += missing - swallowed
        name = "acknowledged_not_stored" if missing > swallowed else "second_calls_swallowed"
        verdict.show(name, f"messages {tally.promised}: {key}, stored {tally.stored} times")
    more = tally.stored - len(tally.promised) - tally.possible
    if more > 0:
        verdict.stored_twice += more
        verdict.show("stored_twice", f"messages {tally.promised}: {key}, stored {tally.stored} times")


def _callers(sent: Iterable[_Sent], rows: list[StoredRow], verdict: Verdict) -> None:
    """Compare telephone numbers, of contents that came once and when the table has numbers."""
    stored = {_of_row(row): row.caller for row in rows if row.caller is not None}
    if not stored:
        return
    expected: dict[Found, set[str]] = defaultdict(set)
    times: Counter[Found] = Counter()
    for one in sent:
        for item in one.event["found"]:
            key = Found(**item).plain()
            expected[key].add(one.event.get("caller", ""))
            times[key] += 1
    for key, numbers in expected.items():
        if times[key] != 1 or key not in stored:
            continue
        (number,) = numbers
        verdict.callers += bool(number)
        if (stored[key] or "") != number:
            verdict.callers_wrong += 1
            verdict.show("callers_wrong", f"{key}: {stored[key] or 'none'} and not {number or 'none'}")


@dataclass(frozen=True, slots=True)
class FileTable:
    """Rows of a CSV file with a heading, or of a JSON file with a list of objects, in the columns of ``StoredRow``."""

    path: Path

    def rows(self) -> Iterable[StoredRow]:
        """Yield the rows; unknown columns are left out."""
        known = set(StoredRow.__dataclass_fields__)
        with self.path.open(encoding="utf-8", newline="") as file:
            items = json.load(file) if self.path.suffix == ".json" else csv.DictReader(file)
            for item in items:
                fields: dict[str, Any] = {name: value for name, value in item.items() if name in known}
                fields["count"] = int(fields.get("count") or 1)
                yield StoredRow(**fields)


def tell(verdict: Verdict) -> str:
    """Return the verdict as JSON, with the word that counts first."""
    return json.dumps({"passed": verdict.passed, **asdict(verdict)}, indent=2)


def main() -> int:
    """Judge two files."""
    parser = argparse.ArgumentParser(prog="python -m bench.line_emulator.judge", description=__doc__)
    parser.add_argument("ledger", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds that must be stored")
    parser.add_argument("--by-frame", default=",".join(BY_FRAME), help="of these, the kinds to compare by their frames")
    options = parser.parse_args()
    by_frame = [kind for kind in options.by_frame.split(",") if kind]
    verdict = judge(options.ledger, FileTable(options.table), kinds=options.kinds.split(","), by_frame=by_frame)
    print(tell(verdict))
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
