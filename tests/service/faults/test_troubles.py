"""One lasting trouble of a device is one fault, whenever the reports are read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import MINUTE_US
from vetlla.service.faults.troubles import (
    FaultCode,
    KnownFault,
    TroubleKey,
    TroubleReport,
    is_covered,
    minutes_of,
    troubles,
)
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

BATTERY = TroubleKey("", "0", "A001", "", FaultCode.BATTERY)
MAINS = BATTERY._replace(code=FaultCode.MAINS)
AFTER = {FaultCode.BATTERY: 0, FaultCode.MAINS: 10}


def report(key: TroubleKey, minute: int, *, over: bool = False) -> TroubleReport:
    """Return a report at a minute."""
    return TroubleReport(key, minute * MINUTE_US, over, "H1", minute)


def minutes(reports: list[TroubleReport], now: int) -> list[int]:
    """Return the minutes at which troubles become faults."""
    return [one.fault_us // MINUTE_US for one in troubles(reports, AFTER, now * MINUTE_US)]


def test_a_trouble_is_a_fault_once_it_lasts_long_enough() -> None:
    assert minutes([report(MAINS, 5)], 14) == []
    assert minutes([report(MAINS, 5)], 15) == [15]
    assert minutes([report(MAINS, 5), report(MAINS, 12, over=True)], 99) == []
    assert minutes([report(MAINS, 5), report(MAINS, 15, over=True)], 99) == [15]


def test_a_sort_that_the_table_leaves_out_is_no_fault() -> None:
    assert minutes([report(BATTERY._replace(code=FaultCode.OTHER), 5)], 99) == []


def test_a_restore_of_another_device_ends_nothing() -> None:
    other = MAINS._replace(device="7")
    assert minutes([report(MAINS, 5), report(other, 6, over=True)], 99) == [15]


lines = st.lists(st.tuples(st.sampled_from([BATTERY, MAINS]), st.integers(0, 60), st.booleans()), max_size=14)


def opened(reports: list[TroubleReport], now: int, known: dict[TroubleKey, list[KnownFault]]) -> None:
    """Open faults as a run at a minute does; ``known`` has those on record."""
    heard = [one for one in reports if one.at_us <= now * MINUTE_US]
    for one in troubles(heard, AFTER, now * MINUTE_US):
        faults = known.setdefault(one.report.key, [])
        if not is_covered(one, faults):
            faults.append(KnownFault(one.fault_us, None))


@given(lines, st.lists(st.integers(0, 80), max_size=6))
def test_no_device_has_two_open_faults_of_one_sort_however_often_the_journal_is_read(
    told: list[tuple[TroubleKey, int, bool]], runs: list[int]
) -> None:
    reports = [report(key, minute, over=over) for key, minute, over in told]
    known: dict[TroubleKey, list[KnownFault]] = {}
    for now in [*sorted(runs), 80, 80]:
        opened(reports, now, known)
    assert all(len(faults) == 1 for faults in known.values())
    lasting = {one.report.key for one in troubles(reports, AFTER, 80 * MINUTE_US)}
    assert set(known) >= lasting


@given(lines, st.integers(0, 70))
def test_a_trouble_that_is_told_after_its_fault_was_solved_is_a_fault_again(
    told: list[tuple[TroubleKey, int, bool]], solved: int
) -> None:
    reports = [report(key, minute, over=over) for key, minute, over in told]
    fault = KnownFault(0, solved * MINUTE_US)
    for one in troubles(reports, AFTER, 80 * MINUTE_US):
        assert is_covered(one, [fault]) == (one.report.at_us <= solved * MINUTE_US)


def test_a_fault_that_a_person_opened_during_the_trouble_covers_it() -> None:
    (one,) = troubles([report(MAINS, 5), report(MAINS, 40, over=True)], AFTER, 80 * MINUTE_US)
    assert is_covered(one, [KnownFault(20 * MINUTE_US, None)])
    assert not is_covered(one, [KnownFault(41 * MINUTE_US, None)])


def test_the_shipped_table_names_no_sort_that_does_not_exist() -> None:
    parameters = read_parameters(parameters_file(), "--parameters")
    named = {name.removeprefix("fault.after.") for name in parameters.names() if name.startswith("fault.after.")}
    found = minutes_of(parameters.on(parameters.all("zone")[0].valid_from), parameters)
    assert named == set(found) == set(FaultCode) - {FaultCode.OTHER}
