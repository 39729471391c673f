"""A real Asterisk, the documented configuration and a real receiver: calls of an analog panel reach the queue.

    python -m bench.receiving.asterisk --chroot DIR

Without a chroot it makes one. It checks that a Contact ID call is an alarm, that the panel gets its kissoff only after
the event is in a file, that a panel gets none if there can be no file, and that a call which was not understood is an
alarm with the caller's number. The exit status is 1 if one of these is not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any, Final

from bench.killing.receiver import Receiver
from bench.rig.asterisk import RECORDED, Asterisk, await_that
from vetlla.store.journal.archive import Archive

CALL_S: Final = 30.0
"""Longest time of one call: some nine seconds, and the receiver's work."""
NUMBERS: Final = ("600000001", "600000002", "600000003")
KISSOFF_S: Final = (0.75, 1.0)
"""Length of a kissoff by SIA DC-05."""
SIGNALS: Final = """SELECT account, kind, code, device, more, established_us, received_us, setup_us, alarm_id
FROM signals ORDER BY id"""


class Trial:
    """One Asterisk with one receiver, and what was checked of them."""

    def __init__(self, asterisk: Asterisk, state_dir: Path) -> None:
        self._asterisk = asterisk
        self._state_dir = state_dir
        self._recorded = asterisk.root / RECORDED
        self.failed = 0

    def check(self, what: str, *, is_so: bool) -> None:
        """Print what was checked, and count it if it is not so."""
        self.failed += not is_so
        print(f"{'ok ' if is_so else 'NOT'} {what}")

    def signals(self) -> list[dict[str, Any]]:
        """Return the signals in the journal."""
        with Archive(self._state_dir) as archive:
            return [dict(row) for row in archive.read(SIGNALS)]

    def await_signals(self, count: int) -> list[dict[str, Any]]:
        """Wait until the journal has this number of signals."""
        await_that(lambda: len(self.signals()) >= count, CALL_S, f"no {count} signals: {self.signals()}")
        return self.signals()

    def await_end_of_call(self) -> None:
        """Wait until Asterisk has no channel."""
        await_that(lambda: "0 active channels" in self._asterisk.ask("core show channels"), CALL_S, "the call goes on")

    def understood(self) -> None:
        """Place a Contact ID call."""
        self._asterisk.call("event", NUMBERS[0])
        (signal,) = self.await_signals(1)
        self.await_end_of_call()
        self.check(
            f"alarm {signal['alarm_id']}: account {signal['account']}, {signal['kind']} {signal['code']}, "
            f"zone {signal['device']}",
            is_so=(signal["account"], signal["code"]) == ("1234", "131"),
        )
        self.check(
            f"t2 begins with the call, {signal['setup_us'] / 1e6:.2f} s before its event was read",
            is_so='"t2_from":"call"' in signal["more"].replace(" ", "") and signal["setup_us"] > 2_000_000,
        )
        (taken,) = (self._asterisk.spool / "done").rglob("event-*")
        record_start = float((self._recorded / "record-start").read_text(encoding="ascii"))
        apart_ms = (record_start - taken.stat().st_mtime) * 1e3
        length_s = kissoff_s(self._recorded / "kissoff.wav")
        self.check(
            f"the file was whole {apart_ms:.0f} ms before the recording began, in which the kissoff is whole "
            f"({length_s:.3f} s)",
            is_so=apart_ms > 0 and KISSOFF_S[0] <= length_s <= KISSOFF_S[1],
        )
        done = self._asterisk.spool / "done"
        await_that(lambda: any(done.rglob("call-*")), CALL_S, "the call's own file was not taken")
        self.check("the call's own file raised no alarm", is_so=len(self.signals()) == 1 and self.left() == [])

    def damaged(self) -> None:
        """Place a call that Asterisk does not understand."""
        self._asterisk.call("damaged", NUMBERS[1])
        _, signal = self.await_signals(2)
        self.await_end_of_call()
        self.check(
            f"alarm {signal['alarm_id']}: {signal['kind']} {signal['code']} from {signal['device']}",
            is_so=(signal["code"], signal["device"]) == ("no_event", NUMBERS[1]) and bool(signal["alarm_id"]),
        )

    def without_directory(self) -> None:
        """Place a Contact ID call while there is no directory for its file."""
        (self._recorded / "kissoff.wav").unlink()
        elsewhere = self._asterisk.spool.with_name("elsewhere")
        self._asterisk.spool.rename(elsewhere)
        self._asterisk.call("event", NUMBERS[2])
        await_that(lambda: "0 active channels" not in self._asterisk.ask("core show channels"), CALL_S, "no call")
        self.await_end_of_call()
        length_s = kissoff_s(self._recorded / "kissoff.wav")
        self.check(f"without a file the panel gets no kissoff ({length_s:.3f} s)", is_so=length_s < KISSOFF_S[0])
        elsewhere.rename(self._asterisk.spool)

    def left(self) -> list[str]:
        """Return the files that wait in the spool."""
        return sorted(path.name for path in self._asterisk.spool.iterdir() if path.is_file())


def kissoff_s(recording: Path) -> float:
    """Return the length of what was recorded in seconds; 0 if there is no recording. A silent line sends no frames."""
    if not recording.exists():
        return 0.0
    with wave.open(str(recording)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def main() -> int:
    """Run all checks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chroot", type=Path, help="a chroot of an earlier run, or where to make one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vetlla-asterisk-") as name:
        asterisk = Asterisk((arguments.chroot or Path(name) / "sid").absolute())
        asterisk.build()
        asterisk.configure()
        spool = f'[[spool]]\ndirectory = "{asterisk.spool}"\n'
        receiver = Receiver(Path(name) / "receiver", config=spool)
        receiver.start()
        receiver.await_ready()
        asterisk.start()
        try:
            print(asterisk.version())
            trial = Trial(asterisk, receiver.state_dir)
            trial.understood()
            trial.damaged()
            trial.without_directory()
            return 1 if trial.failed else 0
        finally:
            asterisk.stop()
            receiver.strike()
            await_that(receiver.has_ended, CALL_S, "the receiver goes on")


if __name__ == "__main__":
    sys.exit(main())
