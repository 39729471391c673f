"""Makers use some codes otherwise than the standards, and no call becomes quiet because of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.domain.accounts import Maker
from vetlla.domain.signals import AccountId, Kind, Phase, Priority, Signal
from vetlla.protocols.codes.makers import MAKERS, as_meant_by, name_of
from vetlla.protocols.codes.rows import Code, read_code, read_rows
from vetlla.protocols.codes.tables import CONTACT_ID, SIA_DCS, CodeTable
from vetlla.protocols.payloads import contact_id, sia_dcs
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from vetlla.protocols.codes.tables import Report

STANDARDS = {table.system: table for table in (CONTACT_ID, SIA_DCS)}
ADDED = [
    (table, code) for table in (CONTACT_ID, SIA_DCS) for code, row in table if row.name.endswith(("(Ajax)", "(Climax)"))
]


def urgency(row: Code) -> Priority:
    return PRIORITIES[row.kind] if row.phase is Phase.NEW else Priority.ROUTINE


def class_of(system: str, code: str) -> Code:
    """Return the class of the code's first characters, as if no table had the code."""
    classes = {row["prefix"]: read_code(row) for row in read_rows(f"{system}_classes.csv")}
    return next(classes[code[:size]] for size in range(len(code), -1, -1) if code[:size] in classes)


def read(frame: str, maker: Maker | None = None) -> tuple[Kind, Phase]:
    """Return kind and phase of the one event in a payload of account AAA."""
    parse = contact_id.parse if frame[-12:-11] == "|" else sia_dcs.parse
    (report,) = parse(frame.encode(), "AAA")
    return meant(report, maker)


def meant(report: Report, maker: Maker | None) -> tuple[Kind, Phase]:
    signal = Signal("dc09", AccountId("", "0", "AAA"), report.event, b"")
    if maker is not None:
        signal = as_meant_by(maker, signal)
    return signal.event.kind, signal.event.phase


@pytest.mark.parametrize(("table", "code"), ADDED, ids=lambda value: value if isinstance(value, str) else "")
def test_an_added_code_is_never_less_urgent_than_its_class(table: CodeTable, code: str) -> None:
    """A maker's code in a standard's table holds for all makers, so with an alarm letter it stays an alarm."""
    by_class = class_of(table.system, code)
    if urgency(by_class) <= Priority.HOME_RISK:
        assert urgency(table.known[code]) <= urgency(by_class)


@pytest.mark.parametrize("maker", Maker)
def test_no_maker_makes_a_call_of_the_standard_quiet(maker: Maker) -> None:
    """A code that a standard defines as LIFE stays LIFE for each maker; only UX is undefined there."""
    assert MAKERS[maker]
    for (system, code), meaning in MAKERS[maker].items():
        table = STANDARDS[system]
        row = table.known.get(code)
        if row is not None and (table, code) not in ADDED and urgency(row) is Priority.LIFE and code != "UX":
            assert PRIORITIES[meaning.kind] is Priority.LIFE, code


@pytest.mark.parametrize("maker", [None, *Maker])
@pytest.mark.parametrize("code", ["PA", "MA", "QA", "HA", "FA", "GA", "NA", "ND", "HV"])
def test_calls_sound_everywhere(code: str, maker: Maker | None) -> None:
    """A call is a call with every maker's table and without one; so are duress codes that only Ajax sends."""
    kind, phase = read(f"#AAA|Nri1/{code}5", maker)
    assert PRIORITIES[kind] is Priority.LIFE
    assert phase is Phase.NEW


@pytest.mark.parametrize(
    ("code", "kind", "phase"),
    [
        ("PC501", Kind.CONFIGURATION, Phase.NEW),
        ("PD501", Kind.CONFIGURATION, Phase.RESTORE),
        ("PE501", Kind.CONFIGURATION, Phase.NEW),
        ("PG501", Kind.CONFIGURATION, Phase.RESTORE),
        ("PF12", Kind.PATH_TROUBLE, Phase.NEW),
        ("PO12", Kind.PATH_TROUBLE, Phase.RESTORE),
        ("SM4", Kind.FAULT, Phase.NEW),
        ("KG3", Kind.TAMPER, Phase.RESTORE),
        ("ZY0", Kind.FAULT, Phase.RESTORE),
        ("ZZ0", Kind.FAULT, Phase.NEW),
    ],
)
def test_doubtful_codes(code: str, kind: Kind, phase: Phase) -> None:
    """A code with an alarm letter that DC-03 does not define is an alarm, unless the account has the maker Ajax."""
    frame = f"#AAA|Nri1/{code}"
    assert read(frame) == (Kind.GENERAL_ALARM, Phase.NEW)
    assert read(frame, Maker.INIM) == (Kind.GENERAL_ALARM, Phase.NEW)
    assert read(frame, Maker.AJAX) == (kind, phase)


@pytest.mark.parametrize(
    ("code", "kind", "phase"),
    [
        ("ND5", Kind.DURESS, Phase.NEW),
        ("HV5", Kind.DURESS, Phase.NEW),
        ("NP5", Kind.CONFIGURATION, Phase.NEW),
        ("NO1", Kind.CONFIGURATION, Phase.NEW),
        ("NB1", Kind.CONFIGURATION, Phase.NEW),
        ("NE1", Kind.CONFIGURATION, Phase.NEW),
        ("XC12", Kind.DEVICE_LOST, Phase.RESTORE),
        ("RL3", Kind.TAMPER, Phase.NEW),
        ("AI2", Kind.PATH_TROUBLE, Phase.NEW),
    ],
)
def test_codes_that_mean_the_same_everywhere(code: str, kind: Kind, phase: Phase) -> None:
    """A code that only one maker sends, and that has no alarm letter, needs no maker in the account."""
    assert read(f"#AAA|Nri1/{code}") == read(f"#AAA|Nri1/{code}", Maker.AJAX) == (kind, phase)


def test_codes_that_the_standard_defines_otherwise() -> None:
    """Ajax' NC and XL have another meaning than in DC-03; for other accounts the standard holds."""
    assert read("#AAA|Nri1/NC1") == (Kind.PATH_TROUBLE, Phase.STATUS)
    assert read("#AAA|Nri1/NC1", Maker.AJAX) == (Kind.CONFIGURATION, Phase.RESTORE)
    assert read("#AAA|Nri1/XL7") == (Kind.FAULT, Phase.NEW)
    assert read("#AAA|Nri1/XL7", Maker.AJAX) == (Kind.DEVICE_LOST, Phase.NEW)


def test_undefined_alarm() -> None:
    """UX is an undefined alarm condition in DC-03; Inim sends it for each door that opens."""
    assert read("#004406|Nri4UX12^PORTA^") == (Kind.GENERAL_ALARM, Phase.NEW)
    assert read("#004406|Nri4UX12^PORTA^", Maker.INIM) == (Kind.PRESENCE, Phase.NEW)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("1732", Kind.WANDERING),
        ("1733", Kind.INACTIVITY),
        ("1734", Kind.INACTIVITY),
        ("1735", Kind.PERSONAL_EMERGENCY),
        ("1736", Kind.WANDERING),
        ("1671", Kind.WANDERING),
        ("1995", Kind.PERSONAL_EMERGENCY),
        ("1693", Kind.INTRUSION),
    ],
)
def test_calls_of_climax(event: str, kind: Kind) -> None:
    """Codes that DC-05 leaves open are alarms from every terminal: epilepsy, an empty bed, a fence left."""
    assert read(f"#AAA|{event} 00 003") == read(f"#AAA|{event} 00 003", Maker.CLIMAX) == (kind, Phase.NEW)


def test_the_qualifier_of_a_makers_code_counts() -> None:
    """In Contact ID the qualifier shows an end, also for a code with a maker's meaning."""
    assert read("#AAA|1102 00 003") == (Kind.PERSONAL_EMERGENCY, Phase.NEW)
    assert read("#AAA|1102 00 003", Maker.CLIMAX) == (Kind.FALL, Phase.NEW)
    assert read("#AAA|3102 00 003", Maker.CLIMAX) == (Kind.FALL, Phase.RESTORE)


def test_a_signal_names_the_makers_table() -> None:
    """A signal that was read by a maker's table names the maker. The code stays as received, with the maker's name."""
    (report,) = sia_dcs.parse(b"#AAA|Nri1/PE501^Hall^")
    signal = Signal("dc09", AccountId("", "0", "AAA"), report.event, b"", text=report.text, details={"block C": "x"})
    meant = as_meant_by(Maker.AJAX, signal)
    assert meant.details == {"block C": "x", "maker": "ajax"}
    assert (meant.event.code, meant.text) == ("PE", "Hall")
    assert name_of(meant.event, Maker.AJAX) == "photo by scenario on"
    assert name_of(meant.event, None) == "photo by scenario on (Ajax)"
    assert as_meant_by(Maker.INIM, signal) is signal
