"""Writes calls as Asterisk tells them: call detail records, the log of the queue, and rows of recordings.

The forms are those of ``fixtures/calls`` (docs/calls.md, Asterisk). A PBX answers a caller a second after the begin and
puts the call into the queue; only the log of the queue says when an operator answered. Its times have microseconds, so
that a planted wait can miss a limit by one.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, Self

from vetlla.domain.clock import SECOND_US
from vetlla.domain.permissions import no_link
from vetlla.simulator.service_year.calls import Ended, Proof

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from zoneinfo import ZoneInfo

    from vetlla.simulator.service_year.calls import CallStory

LINES: Final = 400_000
"""Most lines of a file: some 90 MiB. An import takes 128 MiB."""
QUEUE: Final = "telecare"
MENU_US: Final = SECOND_US
"""From the begin of a call in until it enters the queue."""
_DISPOSITION: Final = {Ended.ANSWERED: "ANSWERED", Ended.NO_ANSWER: "NO ANSWER"}


class PbxFiles:
    """The files of a year's calls. A context manager."""

    def __init__(self, folder: Path, zone: ZoneInfo) -> None:
        self._cdr = _Parts(folder, "cdr", ".csv")
        self._log = _Parts(folder, "queue_log", "")
        self._recordings = _Parts(folder, "recordings", ".csv", "external_id,recording,recording_sha256\n")
        self._zone = zone
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for parts in (self._cdr, self._log, self._recordings):
            parts.close()

    def write(self, one: CallStory) -> str:
        """Write a call; return its uniqueid."""
        self.calls += 1
        unique = f"{one.at_us // SECOND_US}.{self.calls}"
        answered_us = one.at_us + (MENU_US if one.is_in else 0) + (one.wait_us or 0)
        talk_s = one.talk_s if one.ended is Ended.ANSWERED else 0
        end_s = -(-answered_us // SECOND_US) + talk_s
        self._cdr.line(self._record(one, unique, answered_us, end_s))
        if one.is_in:
            for line in _queue_events(one, unique, answered_us, end_s):
                self._log.line(line)
        if one.ended is Ended.ANSWERED and one.proof is not Proof.NONE:
            path = f"{datetime.fromtimestamp(end_s, self._zone):%Y/%m}/{unique}.wav"
            digest = hashlib.sha256(unique.encode()).hexdigest() if one.proof is Proof.WHOLE else ""
            self._recordings.line(f"{unique},{path},{digest}\n")
        return unique

    def _record(self, one: CallStory, unique: str, answered_us: int, end_s: int) -> str:
        extension, start_s = 100 + one.agent, one.at_us // SECOND_US
        inside, outside = f"PJSIP/{extension}-{self.calls:08x}", f"PJSIP/trunk-{self.calls:08x}"
        if one.is_in:
            answer, billed = self._local(start_s + MENU_US // SECOND_US), end_s - start_s - MENU_US // SECOND_US
            taken = inside if one.ended is Ended.ANSWERED else ""
            said = f'"{one.phone}","100","from-pstn","","{outside}","{taken}","Queue","{QUEUE},t"'
            disposition = "ANSWERED"  # by the menu
        else:
            is_answered = one.ended is Ended.ANSWERED
            answer = self._local(answered_us // SECOND_US) if is_answered else ""
            billed = end_s - answered_us // SECOND_US if is_answered else 0
            dialled = f"PJSIP/{one.phone}@trunk"
            said = f'"{extension}","{one.phone}","from-operators","","{inside}","{outside}","Dial","{dialled}"'
            disposition = _DISPOSITION[one.ended]
        times = f'"{self._local(start_s)}","{answer}","{self._local(end_s)}",{end_s - start_s},{billed}'
        return f'"{one.party}",{said},{times},"{disposition}","DOCUMENTATION","{unique}",""\n'

    def _local(self, at_s: int) -> str:
        return str(datetime.fromtimestamp(at_s, self._zone).replace(tzinfo=None))


def _queue_events(one: CallStory, unique: str, answered_us: int, end_s: int) -> Iterator[str]:
    wait_s, agent = (one.wait_us or 0) // SECOND_US, f"PJSIP/{100 + one.agent}"
    yield f"{_seconds(one.at_us + MENU_US)}|{unique}|{QUEUE}|NONE|ENTERQUEUE||{one.phone}|1\n"
    if one.ended is Ended.ANSWERED:
        yield f"{_seconds(answered_us)}|{unique}|{QUEUE}|{agent}|CONNECT|{wait_s}|{unique}|{wait_s}\n"
        yield f"{end_s}|{unique}|{QUEUE}|{agent}|COMPLETECALLER|{wait_s}|{one.talk_s}|1\n"
    elif one.ended is Ended.ABANDONED:
        yield f"{_seconds(answered_us)}|{unique}|{QUEUE}|NONE|ABANDON|1|1|{wait_s}\n"


def _seconds(at_us: int) -> str:
    whole, part = divmod(at_us, SECOND_US)
    return f"{whole}.{part:06}" if part else str(whole)


class _Parts:
    """A file of lines that goes on in another one when it is full."""

    def __init__(self, folder: Path, name: str, ending: str, heading: str = "") -> None:
        self._folder, self._name, self._ending, self._heading = folder, name, ending, heading
        self._lines = self._part = 0
        self._file: IO[str] | None = None

    def line(self, text: str) -> None:
        if self._file is None or self._lines == LINES:
            self._file = self._next()
        self._lines += 1
        self._file.write(text)

    def _next(self) -> IO[str]:
        self.close()
        self._part, self._lines = self._part + 1, 0
        path = self._folder / f"{self._name}{f'-{self._part}' if self._part > 1 else ''}{self._ending}"
        file = os.fdopen(no_link(path, os.O_TRUNC), "w", encoding="utf-8", newline="")
        file.write(self._heading)
        return file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
