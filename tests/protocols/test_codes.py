"""The code tables are complete, and have a row for every code that could come."""

from __future__ import annotations

import re
import string
from itertools import product

import pytest

from tests.rigs.recordings import decode
from vetlla.domain.signals import Event, Kind, Phase, Priority, Reject, Signal
from vetlla.protocols.codes.scaip import LOCATIONS, SCAIP, location, spelled
from vetlla.protocols.codes.tables import (
    CONTACT_ID,
    EVIEW,
    MAX_CODE,
    NO_CODE,
    SIA_DCS,
    TABLES,
    CodeTable,
    code_of,
    name_of,
)
from vetlla.protocols.dc09.frame import envelope
from vetlla.protocols.registry import PROTOCOLS
from vetlla.service.queue.triage import PRIORITIES

CODE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "$#*+._/()-")

LIFE = {
    Kind.PERSONAL_EMERGENCY,
    Kind.FALL,
    Kind.INACTIVITY,
    Kind.SMOKE,
    Kind.HEAT,
    Kind.GAS,
    Kind.CO,
    Kind.DURESS,
}
ALARMS = LIFE | {Kind.FLOOD, Kind.TEMPERATURE, Kind.INTRUSION, Kind.GENERAL_ALARM}

CONTACT_ID_CLASSES = {"1": 54, "2": 7, "3": 73, "4": 52, "5": 26, "6": 38, "7": 4, "9": 28}
"""Codes of DC-05-2016 by first digit, as siadc09 1.0.1 lists them."""
OF_A_MAKER = re.compile(r" \((Ajax|Climax)\)")
"""End of the name of a code that a maker added to a standard's table."""
SIA_LETTERS = {
    "A": 6, "B": 16, "C": 19, "D": 26, "E": 10, "F": 20, "G": 9, "H": 8, "I": 2, "J": 14, "K": 8, "L": 9, "M": 9,
    "N": 8, "O": 16, "P": 8, "Q": 8, "R": 13, "S": 9, "T": 14, "U": 12, "V": 7, "W": 8, "X": 14, "Y": 24, "Z": 8,
}  # fmt: skip
"""Codes of DC-03 by first letter, as siadc09 1.0.1 lists them."""


def standard_codes(table: CodeTable) -> set[str]:
    return {code for code, row in table if not OF_A_MAKER.search(row.name)}


def test_contact_id_is_complete() -> None:
    """Every code of DC-05-2016 has a row, and so have the three of Climax that every telecare service needs."""
    standard = standard_codes(CONTACT_ID)
    assert {digit: sum(code[0] == digit for code in standard) for digit in CONTACT_ID_CLASSES} == CONTACT_ID_CLASSES
    assert len(standard) == sum(CONTACT_ID_CLASSES.values()) == 282
    assert set(CONTACT_ID.known) - standard >= {"661", "662", "663"}


def test_sia_dcs_is_complete() -> None:
    """Every code of DC-03 has a row."""
    standard = standard_codes(SIA_DCS)
    assert {letter: sum(code[0] == letter for code in standard) for letter in SIA_LETTERS} == SIA_LETTERS
    assert len(standard) == sum(SIA_LETTERS.values()) == 305


@pytest.mark.parametrize("system", sorted(TABLES))
def test_rows_are_whole(system: str) -> None:
    """Every row has a name in lower case words, one of the known kinds of address and a code of the right form."""
    addresses = {"", "zone", "user", "area", "point", "door", "device", "line", "expander", "printer", "receiver"}
    addresses |= {"condition", "network", "output", "relay", "custom", "dealer", "message", "manufacturer"}
    for code, row in TABLES[system]:
        assert row.name.strip() == row.name != "", code
        assert row.address in addresses, code
        assert len(code) == {"contact_id": 3, "sia_dcs": 2}.get(system, len(code))


def test_every_contact_id_code_has_a_class() -> None:
    """Any three hexadecimal digits find a kind; an unknown code that begins with 1 is always an alarm."""
    for digits in product("0123456789ABCDEF", repeat=3):
        code = "".join(digits)
        row = CONTACT_ID.find(code)
        if code[0] == "1" and code not in CONTACT_ID.known:
            assert row.kind in ALARMS, code


def test_every_sia_code_has_a_class() -> None:
    """Any two letters find a kind; an unknown code with an alarm letter is that alarm."""
    for letters in product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=2):
        code = "".join(letters)
        row = SIA_DCS.find(code)
        if code[0] in "BFGHKMPQSUWZ" and code not in SIA_DCS.known:
            assert row.kind in ALARMS, code
            assert row.phase is Phase.NEW, code


def test_life_is_life() -> None:
    """Calls that the service must answer first have priority LIFE in both tables."""
    for code in (
        "100",
        "101",
        "102",
        "103",
        "110",
        "111",
        "114",
        "117",
        "120",
        "121",
        "122",
        "123",
        "151",
        "162",
        "641",
    ):
        assert CONTACT_ID.known[code].kind in LIFE, code
    for code in ("MA", "QA", "PA", "HA", "NA", "FA", "KA", "GA"):
        assert SIA_DCS.known[code].kind in LIFE, code
        assert SIA_DCS.known[code].phase is Phase.NEW, code


def test_alarm_letters_pair_up() -> None:
    """The restore of an alarm has the kind of that alarm, so that it ends the alarm."""
    for letter in "BFGHKMPQSUWZ":
        for ending in "RH":
            row = SIA_DCS.known[letter + ending]
            assert (row.kind, row.phase) == (SIA_DCS.known[letter + "A"].kind, Phase.RESTORE), letter + ending
    for trouble, restored in (
        ("AT", "AR"),
        ("YT", "YR"),
        ("XT", "XR"),
        ("NT", "NR"),
        ("LT", "LR"),
        ("XQ", "XH"),
        ("TA", "TR"),
    ):
        assert SIA_DCS.known[trouble].kind is SIA_DCS.known[restored].kind
        assert (SIA_DCS.known[trouble].phase, SIA_DCS.known[restored].phase) == (Phase.NEW, Phase.RESTORE)


@pytest.mark.parametrize(
    ("code", "sia"),
    [
        ("100", "MA"), ("101", "QA"), ("110", "FA"), ("111", "FA"), ("114", "KA"), ("151", "GA"), ("154", "WA"),
        ("159", "ZA"), ("120", "PA"), ("122", "HA"), ("301", "AT"), ("302", "YT"), ("311", "YM"), ("602", "RP"),
        ("601", "RX"), ("641", "NA"), ("344", "XQ"), ("384", "XT"), ("606", "LF"), ("616", "YX"), ("406", "OC"),
    ],
)  # fmt: skip
def test_both_tables_agree(code: str, sia: str) -> None:
    """An event has the same kind in both code systems."""
    assert CONTACT_ID.known[code].kind is SIA_DCS.known[sia].kind


def test_events() -> None:
    """A code's event is that of its row; an unknown code keeps its own letters and gets the kind of its class."""
    for code, row in SIA_DCS:
        assert SIA_DCS.event(code) == Event(row.kind, row.phase, code, "sia_dcs")
    assert EVIEW.event("bit30") == Event(Kind.GENERAL_ALARM, Phase.NEW, "bit30", "eview")
    assert EVIEW.event("99") == Event(Kind.UNKNOWN, Phase.NEW, "99", "eview")


def test_names() -> None:
    """A code is shown with its standard's name, an unknown code with its class, an unknown system without a name."""
    assert name_of(Event(Kind.UNKNOWN, Phase.NEW, "602", "contact_id")) == "periodic test report"
    assert name_of(Event(Kind.UNKNOWN, Phase.NEW, "19F", "contact_id")) == "alarm"
    assert name_of(Event(Kind.UNKNOWN, Phase.NEW, "MA", "sia_dcs")) == "medical alarm"
    assert name_of(Event(Kind.UNKNOWN, Phase.NEW, "QQ", "sia_dcs")) == "emergency"
    assert name_of(Event(Kind.UNKNOWN, Phase.NEW, "RSP", "dc09")) == ""


def test_scaip_is_complete() -> None:
    """Every device type but 0042, which no source lists, every status and every location has a row."""
    devices = {code[:4] for code, _ in SCAIP}
    states = {code[5:] for code, _ in SCAIP}
    assert devices == {f"{number:04}" for number in range(52)} - {"0042"}
    assert states == {f"{number:04}" for number in range(128)}
    assert set(LOCATIONS) == {f"{number:03}" for number in range(53)}


def test_unknown_scaip_codes_are_alarms() -> None:
    """No unknown device type and no unknown status is dropped."""
    for digits in range(10_000):
        for code in (f"{digits:04}-0010", f"0003-{digits:04}" if digits > 127 else "0003-0999"):
            row = SCAIP.find(code)
            assert row.kind in ALARMS | {Kind.WANDERING, Kind.DOOR}, code
            assert row.phase is Phase.NEW, code


@pytest.mark.parametrize(
    ("code", "kind", "phase"),
    [
        ("0003-0010", Kind.PERSONAL_EMERGENCY, Phase.NEW),
        ("0005-0009", Kind.FALL, Phase.NEW),
        ("0010-0009", Kind.INACTIVITY, Phase.NEW),
        ("0010-0049", Kind.INACTIVITY, Phase.NEW),
        ("0010-0119", Kind.INACTIVITY, Phase.RESTORE),
        ("0014-0076", Kind.DOOR, Phase.NEW),
        ("0014-0021", Kind.DOOR, Phase.RESTORE),
        ("0021-0009", Kind.GAS, Phase.NEW),
        ("0023-0009", Kind.SMOKE, Phase.NEW),
        ("0023-0016", Kind.BATTERY_LOW, Phase.NEW),
        ("0026-0009", Kind.CO, Phase.NEW),
        ("0003-0123", Kind.DEVICE_LOST, Phase.NEW),
        ("0003-0124", Kind.DEVICE_LOST, Phase.RESTORE),
        ("0002-0085", Kind.MAINS_LOST, Phase.NEW),
        ("0002-0086", Kind.MAINS_LOST, Phase.RESTORE),
        ("0002-0023", Kind.PATH_TROUBLE, Phase.NEW),
        ("0002-0112", Kind.PATH_TROUBLE, Phase.RESTORE),
        ("0002-0102", Kind.PERIODIC_TEST, Phase.NEW),
        ("0002-0003", Kind.CONFIGURATION, Phase.STATUS),
        ("0002-0121", Kind.CONFIGURATION, Phase.STATUS),
        ("0040-0010", Kind.GENERAL_ALARM, Phase.NEW),
    ],
)
def test_scaip_codes(code: str, kind: Kind, phase: Phase) -> None:
    """Device type and status together say what happened."""
    row = SCAIP.find(code)
    assert (row.kind, row.phase) == (kind, phase)


def test_scaip_spellings() -> None:
    """Codes may have fewer zeros than in the standard, or more."""
    assert spelled("3", "010") == spelled("0003", "0010") == spelled("00003", "10") == "0003-0010"
    assert spelled("0", "0") == "0000-0000"
    assert location("11") == location("0011") == "bathroom"
    assert location("999") == ""


# --- invalid codes ----------------------------------------------------------------------------------------------------

HOSTILE = (
    "\x1b]0;owned\x07",
    "\x9b2J",
    "\u202e",
    "a\nalarm 7: closed",
    "A" * 33,
    "A" * 16_000,
    "caf\u00e9",
    "x y",
    "?",
)


@pytest.mark.parametrize("said", HOSTILE, ids=lambda said: ascii(said)[:16])
@pytest.mark.parametrize("table", [table for table in TABLES.values() if isinstance(table, CodeTable)])
def test_an_invalid_code_keeps_its_class_and_is_never_less_urgent(table: CodeTable, said: str) -> None:
    """An invalid code is shown by its class, not as sent; if the class opens no alarm, the report is unknown."""
    for prefix in ("", "AL", "UD", "AP10.", "APJK.", "bit", "M", "13"):
        event, of_class = table.event(prefix + said), table.find(prefix + said)
        assert set(event.code) <= CODE_CHARACTERS | {NO_CODE}
        assert len(event.code) <= MAX_CODE
        assert NO_CODE in event.code or event.code == prefix + said
        assert event.phase is Phase.NEW or event.code == prefix + said
        if NO_CODE in event.code:
            assert PRIORITIES[event.kind] <= min(PRIORITIES[of_class.kind], Priority.TECHNICAL)
            assert table.find(event.code).kind is of_class.kind


def test_two_invalid_codes_are_distinguished() -> None:
    """An operator who has closed the alarm of one invalid code must see the other."""
    one, other = (EVIEW.event(said) for said in HOSTILE[:2])
    assert one.code != other.code
    assert one == EVIEW.event(HOSTILE[0])


def test_every_code_of_the_tables_is_valid() -> None:
    """No table has an invalid code."""
    for table in TABLES.values():
        assert all(code_of(code) == code for code, _ in table)


SENT = {
    "dc09": lambda said: envelope(b'"%b"0001L0#1234[x]' % said[:16]),
    "watch3g": lambda said: b"[3G*8308373902*%04x*%b]" % (len(said), said),
    "thinkrace": lambda said: b"IWAP10080524A2232.9806N11404.9355E000.1061830323.87,460,0,9520,3671,%b#" % said,
    "minifinder": lambda said: b"!%b,1;" % said,
    "mqtt": lambda said: b"tc/1/T1/$state %b\n" % said,
}  # fmt: skip
"""Protocol -> a whole message in which a device sends these bytes as its code."""


@pytest.mark.parametrize("said", [b"A\x1b(0\x07", b"A\xc2\x9b2J", b"A" * 4_000, "A\u202e".encode()], ids=ascii)
@pytest.mark.parametrize("protocol", sorted(SENT))
def test_an_invalid_code_of_a_stranger_is_replaced(protocol: str, said: bytes) -> None:
    """Any bytes as a code give a signal or evidence with all bytes, and the signal's code is valid or replaced."""
    sent = SENT[protocol](said)
    came = decode(PROTOCOLS[protocol].make(lambda _: ()), [sent])
    items = [item for item in came if isinstance(item, Signal | Reject)]
    assert b"".join(item.raw for item in items).rstrip() == sent.rstrip()
    for item in items:
        if isinstance(item, Signal):
            assert set(item.event.code) <= CODE_CHARACTERS | {NO_CODE}
            assert len(item.event.code) <= MAX_CODE
            assert PRIORITIES[item.event.kind] <= Priority.TECHNICAL
