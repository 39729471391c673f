"""Every event of ours has a code of Contact ID that is as urgent; the exact ones mean the same."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.signals import Event, Kind, Phase
from vetlla.protocols.automation.contact_id import contact_id_of
from vetlla.protocols.automation.reports import NO_AREA, NO_DEVICE, ContactId
from vetlla.protocols.codes.rows import read_rows
from vetlla.protocols.codes.tables import CONTACT_ID, TABLES
from vetlla.service.queue.triage import PRIORITIES

EVENTS = [
    Event(row.kind, row.phase, code, table.system)
    for table in TABLES.values()
    for code, row in table
    if table is not CONTACT_ID
]


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_never_lost(kind: Kind) -> None:
    """Each kind of an unknown system has a code that is as urgent, for a device and for none."""
    for phase, device in product(Phase, ("", "7")):
        said = contact_id_of(Event(kind, phase, "whatever", "other"), device=device)
        assert said.event.phase is phase
        assert PRIORITIES[CONTACT_ID.find(said.event.code).kind] == PRIORITIES[kind]
        if said.is_exact:
            assert CONTACT_ID.find(said.event.code).kind is kind


def test_a_code_of_another_system_keeps_its_meaning() -> None:
    """Each code of each table is written with the same kind, or said not to be exact; its priority never changes."""
    assert len(EVENTS) > 1000
    for event in EVENTS:
        said = contact_id_of(event)
        kind = CONTACT_ID.find(said.event.code).kind
        assert PRIORITIES[kind] == PRIORITIES[event.kind], event
        assert not said.is_exact or kind is event.kind, event


def test_all_standard_codes_are_those_of_their_table() -> None:
    """The tables name codes of Contact ID that exist, each code of another system once."""
    rows = list(read_rows("contact_id_of_codes.csv"))
    assert all(row["contact_id"] in CONTACT_ID.known for row in rows)
    assert all(row["code"] in dict(TABLES[row["system"]]) for row in rows)
    keys = [(row["system"], row["code"]) for row in rows]
    assert keys == sorted(set(keys), key=keys.index)
    kinds = list(read_rows("contact_id_of_kinds.csv"))
    assert sorted(row["kind"] for row in kinds) == sorted(Kind)
    assert all(row[column] in CONTACT_ID.known for row in kinds for column in ("code", "device_code"))


@given(code=st.from_regex(r"[0-9]{3}", fullmatch=True), phase=st.sampled_from(Phase), kind=st.sampled_from(Kind))
def test_contact_id_is_passed_as_it_is(code: str, phase: Phase, kind: Kind) -> None:
    """The code stays, also an unknown one, and also in a home with a meaning of its own."""
    said = contact_id_of(Event(kind, phase, code, "contact_id"), device="015", area="01")
    assert said.event == ContactId(phase, code, "01", "015")
    assert said.is_exact


@pytest.mark.parametrize("code", ["", "?a1b2c3", "1A1", "18", "1٢3"])
def test_a_code_that_no_receiver_prints_is_translated_by_its_kind(code: str) -> None:
    said = contact_id_of(Event(Kind.FALL, Phase.NEW, code, "contact_id"))
    assert said.event.code == "103"


@pytest.mark.parametrize(
    ("text", "digits"), [("7", "007"), ("0007", "007"), ("c0f", "C0F"), (" 15 ", "015"), ("0000", "000")]
)
def test_a_device_of_digits_is_written(text: str, digits: str) -> None:
    assert contact_id_of(EVENTS[0], device=text).event.device == digits


@given(text=st.text(max_size=20))
def test_any_device_is_written_whole_or_as_none(text: str) -> None:
    """A name, a long number: zeros, never a part of it."""
    said = contact_id_of(EVENTS[0], device=text, area=text).event
    assert said.device == NO_DEVICE or said.device.lstrip("0") == text.strip().lstrip("0").upper()
    assert said.area == NO_AREA or said.area.lstrip("0") == text.strip().lstrip("0").upper()


def test_opening_and_closing_stay_apart() -> None:
    """An opening is E401 and a closing R401, whatever the other system's own phase is."""
    for system, opening, closing in (("sia_dcs", "OP", "CL"), ("pulse", "O", "C"), ("high_speed", "2", "4")):
        table = dict(TABLES[system])
        said = [
            contact_id_of(Event(table[code].kind, table[code].phase, code, system)).event for code in (opening, closing)
        ]
        assert said == [ContactId(Phase.NEW, "401"), ContactId(Phase.RESTORE, "401")]
