"""Makes the state directory of a service whose one month is full, for ``bench.office.month``.

    python -m bench.office.month_data FOLDER [--homes 86250] [--seed 1]

The duties are those of the whole generated year (``vetlla.simulator.service_year``), because the commands must find the
month among them. The month has 60,000 alarms, 700,000 calls and a ledger of supervision. The other months have the
alarms of their emergencies, the calls that the agenda awaits, and few others. Everything is imported by commands, each
as a process of its own; only the journal is written through the store, as the receiver would. At the end the months
before the full one are closed in their order, as the office would have closed them: the ledger of faults takes them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from bench.office.duties import total
from bench.office.inventory import DAY, run
from bench.office.service_year import PBX_FORMATS
from vetlla.domain import tomlfile
from vetlla.domain.clock import ManualClock
from vetlla.domain.devices import TERMINALS, DeviceType
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.domain.supervision import STRETCH, KeptDevice, LedgerDay, Stretch
from vetlla.service.calendar import add_months, months_of
from vetlla.service.calls.follow_up import least_seconds
from vetlla.service.duties.kinds import parse_kinds
from vetlla.settings.shipped import duty_kinds_file
from vetlla.simulator import park, service_year
from vetlla.simulator.service_year.alarms import AlarmYear
from vetlla.simulator.service_year.calls import Callers, CallYear, awaited
from vetlla.simulator.service_year.communications import Communications
from vetlla.simulator.service_year.days import Month
from vetlla.simulator.service_year.duties import DutyYear
from vetlla.simulator.service_year.pbx import PbxFiles
from vetlla.simulator.service_year.receiver import BOOT, MACHINE, ReceiverYear
from vetlla.store.journal.batch import Batch
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import LOCK
from vetlla.store.journal.recovery import Boot

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from vetlla.domain.devices import DeviceRecord
    from vetlla.simulator.park import Park
    from vetlla.simulator.service_year.calls import CallStory
    from vetlla.simulator.service_year.telling import DutyStory

HOMES: Final = 86_250
YEAR: Final = 2025
MONTH: Final = 10
"""October has an hour that comes twice, and 31 days."""
ALARMS: Final = 60_000
CALLS: Final = 700_000
URGENT: Final = 0.3
INCOMING: Final = 1 / 6
"""Shares of the alarms and of the calls, as in the profile of the generated year."""
INTERVAL_S: Final = 86_400
ALLOWED: Final = 3
MISSED_IN: Final = 2_000
"""One device-day of 2,000 is not checked."""
_EXPECTED: Final = (INTERVAL_S, ALLOWED, "", 0, 0, 0, 0)
"""What a device is expected to do, and a running day without anything."""


class FullMonth:
    """The files of a year with a full month."""

    def __init__(self, folder: Path, homes: int, seed: int) -> None:
        self._folder = folder
        self._seed = f"{seed}/{YEAR}"
        self._made = park.generate(homes, seed)
        self._turns = 1 + homes // service_year.HOMES_A_TURN
        planted_homes = service_year.share_numbers(self._made, self._turns)
        self._profile: dict[str, Any] = tomllib.loads((service_year.HERE / "profile.toml").read_text(encoding="utf-8"))
        self._duties = DutyYear(self._made, planted_homes, park.reading(date(YEAR, 1, 1)), self._profile, self._seed)
        self._about = Communications(self._made, self._duties, self._profile, self._turns, self._seed)

    def write(self) -> None:
        """Write the park, the events, the calls and the journal."""
        park.write(self._made, self._folder)
        for name in (service_year.EVENTS, service_year.CALLS, service_year.RECEIVER):
            (self._folder / name).mkdir()
        source = duty_kinds_file()
        kinds = parse_kinds(tomlfile.document(tomlfile.read_input(source)), str(source))
        emergencies = []
        for name in kinds.names():
            told = self._duties.kind(name, kinds)
            if name in TYPE_OF_KIND:
                emergencies.append(told)
            else:
                self._duties.write(self._folder / service_year.EVENTS, told)
        self._write_alarms([story for told in emergencies for story in told.stories()])
        for told in emergencies:  # after the alarms, because each names the alarm that opened it
            self._duties.write(self._folder / service_year.EVENTS, told)
        self._write_calls()
        write_ledger(self._folder / service_year.RECEIVER, self._made, self._about.dice("ledger"))

    def _scaled(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Return numbers of a month that the generator of a year will not scale again."""
        return {name: count / self._duties.share for name, count in counts.items()}

    def _months(self, rng: random.Random) -> Iterator[tuple[Month, bool]]:
        """Yield each month, and whether it is the full one."""
        for days in self._duties.calendar.months():
            yield Month(days, self._duties.calendar, rng), days[0].month == MONTH

    def _write_alarms(self, emergencies: list[DutyStory]) -> None:
        about, rng = self._about, self._about.dice("alarms")
        homes = [home.code for home in self._made.homes]
        full = {"urgent_a_month": ALARMS * URGENT, "technical_a_month": ALARMS * (1 - URGENT)}
        years = [
            AlarmYear(self._scaled(counts), self._duties.share, homes, about.limits, rng)
            for counts in (dict.fromkeys(full, 1.0), full)
        ]
        of_month: defaultdict[int, list[DutyStory]] = defaultdict(list)
        for duty in emergencies:
            of_month[about.month_of(duty.events[0].at_us)].append(duty)
        accounts = {
            kept.standing.home: kept.device.account for kept in self._made.devices if kept.device.type in TERMINALS
        }
        with ReceiverYear(self._folder / service_year.RECEIVER, YEAR, accounts, about.limits) as journal:
            for month, is_full in self._months(rng):
                for one in years[is_full].month(month, of_month[month.days[0].month], self._turns):
                    journal.write(one)
                    if one.duty:
                        one.duty.alarm = journal.alarms

    def _write_calls(self) -> None:
        about, rng, duties = self._about, self._about.dice("calls"), self._duties
        phones = {home.code: home.phones[0] for home in self._made.homes}
        least_s = least_seconds(duties.reading)
        of_month: defaultdict[int, list[CallStory]] = defaultdict(list)
        for call in [*duties.planted_calls, *(awaited(one, phones[one.home], least_s, rng) for one in duties.awaited)]:
            of_month[about.month_of(call.at_us)].append(call)
        others = CALLS - len(of_month[MONTH])
        full = {"in_a_month": others * INCOMING, "out_a_month": others * (1 - INCOMING)}
        callers = Callers(phones, list(phones), duties.watched)
        years = [
            CallYear(self._scaled(counts), duties.share, callers, about.limits, rng)
            for counts in (dict.fromkeys(full, 1.0), full)
        ]
        with PbxFiles(self._folder / service_year.CALLS, duties.calendar.zone) as pbx:
            for month, is_full in self._months(rng):
                for call in years[is_full].month(month, of_month.pop(month.days[0].month, []), self._turns):
                    pbx.write(call)


def write_ledger(folder: Path, made: Park, dice: random.Random) -> None:
    """Write the full month of the ledger: a day of each terminal and each UCR, one report in each of them."""
    account = {kept.standing.home: kept.device.account for kept in made.devices if kept.device.type in TERMINALS}
    kinds = (*TERMINALS, DeviceType.UCR)
    units = [kept for kept in made.devices if kept.device.type in kinds and kept.standing.home in account]
    journal = Journal(folder, ManualClock(datetime(YEAR + 1, 1, 2, tzinfo=UTC)))
    try:
        journal.begin_generated(Boot(BOOT + 1, MACHINE, ManualClock(datetime(YEAR + 1, 1, 1, tzinfo=UTC)).now().utc_us))
        batch = _batch()
        batch.supervision.units += [
            KeptDevice(number, account[kept.standing.home], "", "", _name(kept), 1, 1, 1, 0, *_EXPECTED)
            for number, kept in enumerate(units)
        ]
        journal.write(batch)
        first = date(YEAR, MONTH, 1)
        while first.month == MONTH:
            journal.write(_day(first, len(units), dice))
            first += timedelta(days=1)
        journal.checkpoint()
    finally:
        journal.close()
        journal.path.with_name(LOCK).unlink(missing_ok=True)


def _name(kept: DeviceRecord) -> str:
    return "" if kept.device.type in TERMINALS else kept.device.serial


def _batch() -> Batch:
    return Batch(commit=1 << 40, boot=BOOT + 1, began_us=0)


def _day(day: date, units: int, dice: random.Random) -> Batch:
    batch = _batch()
    for number in range(-(-units // STRETCH)):
        some = min(STRETCH, units - number * STRETCH)
        stretch = Stretch(number)
        silences = [dice.randrange(60, INTERVAL_S) for _ in range(some)]
        received = [1] * some
        for place in range(some):
            if dice.randrange(MISSED_IN) == 0:
                silences[place], received[place] = 5 * INTERVAL_S, 0
        for name, values in (
            ("interval_s", [INTERVAL_S] * some), ("allowed_misses", [ALLOWED] * some), ("state", [1] * some),
            ("supervised_s", [INTERVAL_S] * some), ("received", received), ("longest_s", silences),
        ):  # fmt: skip
            stretch.fill(name, values)
        batch.supervision.add_stretch(day.isoformat(), stretch)
    batch.supervision.days.append(LedgerDay(day.isoformat(), 0, 5.0))
    return batch


def import_all(files: Path, state: Path, out: Console) -> None:
    """Import the files of a full month into an empty state directory, and put the journal there."""
    state.mkdir(mode=0o750)
    for what in ("homes", "people", "devices"):
        run("inventory", "import", files / f"{what}.csv", "--what", what, *DAY, state=state)
    events = sorted((files / service_year.EVENTS).iterdir())
    out.print(
        f"duties import of {len(events)} files: {total(run('duties', 'import', one, state=state) for one in events)}"
    )
    costs = [
        run("calls", "import", one, "--format", form, state=state)
        for name, form in PBX_FORMATS.items()
        for one in sorted((files / service_year.CALLS).glob(f"{name}*"))
    ]
    out.print(f"calls import of {len(costs)} files: {total(costs)}")
    for one in (files / service_year.RECEIVER).iterdir():
        shutil.copy(one, state / one.name)
    begin = park.reading(date(YEAR, 1, 1)).the_date("contract.start").replace(day=1)
    before = months_of(begin, add_months(date(YEAR, MONTH, 1), -1))
    costs = [run("month", "close", f"{month:%Y-%m}", state=state) for month in before]
    out.print(f"month close of the {len(costs)} months before: {total(costs)}")


def main() -> None:
    """Make the state directory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--homes", type=int, default=HOMES)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        files = Path(folder)
        FullMonth(files, asked.homes, asked.seed).write()
        import_all(files, asked.folder, Console(highlight=False, soft_wrap=True))


if __name__ == "__main__":
    main()
