"""``vetlla reminders list`` and ``show``."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rigs.reminders import key
from tests.rigs.reminders_desk import ANNA, OFFICE
from vetlla.store.reminders import appointments
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld

FIELDS = [
    "number", "reference", "kind", "step", "attempt", "state", "reason", "channel", "office", "appointment", "start",
    "due", "phone", "confirmed", "overdue",
]  # fmt: skip


def listed(vetlla: Vetlla, *words: object) -> list[object]:
    """Return the numbers of the messages that are listed."""
    return [one["number"] for one in vetlla("reminders", "list", "--json", *words).json]


def test_messages_have_stable_fields_and_masked_telephones(vetlla: Vetlla, desk: DeskWorld) -> None:
    done = vetlla("reminders", "list", "--json")
    assert [list(one) for one in done.json] == [FIELDS] * 2
    first, second = done.json
    assert (first["state"], first["channel"], first["appointment"]) == ("delivered", "whatsapp", "lleida/a1")
    assert (first["phone"], first["overdue"]) == ("\u2026001", False)
    assert (second["state"], second["overdue"]) == ("planned", True)
    assert ANNA not in done.out
    assert vetlla("reminders", "list", "--json", "--phones").json[0]["phone"] == ANNA


def test_an_overdue_message_is_marked_for_people(vetlla: Vetlla, desk: DeskWorld) -> None:
    lines = vetlla("reminders", "list").out.splitlines()
    assert [("OVERDUE" in line, "planned" in line) for line in lines[1:]] == [(False, False), (True, True)]


def test_messages_are_filtered(vetlla: Vetlla, desk: DeskWorld) -> None:
    day = (desk.now + timedelta(days=1)).astimezone().date()
    assert listed(vetlla, "--state", "planned") == [2]
    assert listed(vetlla, "--office", OFFICE) == [1, 2]
    assert listed(vetlla, "--office", "other") == []
    assert listed(vetlla, "--day", day) == [1, 2]
    assert listed(vetlla, "--day", day + timedelta(days=1)) == []


def test_unconfirmed_leaves_out_those_who_confirmed_or_cancelled(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert listed(vetlla, "--unconfirmed") == [1, 2]
    with atomic(desk.db):
        assert appointments.confirm(desk.db, key("a1"), desk.now + timedelta(days=1), desk.now)
    assert listed(vetlla, "--unconfirmed") == [2]
    with atomic(desk.db):
        appointments.mark_cancelled(desk.db, key("b1"), desk.now, "office")
    assert listed(vetlla, "--unconfirmed") == []
    assert [one["confirmed"] for one in vetlla("reminders", "list", "--json").json] == [True, False]


def test_a_message_is_shown_with_its_whole_life(vetlla: Vetlla, desk: DeskWorld) -> None:
    (shown,) = vetlla("reminders", "show", "1", "--json").json
    assert (shown["template"], shown["gateway"], shown["provider_id"]) == ("recordatori", "meta", "id-1")
    assert [one["delivery"] for one in shown["reports"]] == ["delivered"]
    assert [one["reply"] for one in shown["replies"]] == [1]
    assert shown["attempts"] == [{"attempt": 1, "number": 1}]
    assert shown["delivered"] is not None
    assert vetlla("reminders", "show", shown["reference"], "--json").json == [shown]


def test_words_are_shown_only_if_they_are_asked_for(vetlla: Vetlla, desk: DeskWorld) -> None:
    for form in ((), ("--json",)):
        assert "documentació" not in vetlla("reminders", "show", "1", *form).out
        told = vetlla("reminders", "show", "1", "--text", *form).out
        assert "documentació" in told
        assert "Teniu cita" in told
        assert ANNA not in told


def test_an_unknown_message_is_refused(vetlla: Vetlla, desk: DeskWorld) -> None:
    for name in ("99", "0123456789abcdef01234567", "9" * 30, "\u0661"):
        done = vetlla("reminders", "show", name)
        assert done.status == os.EX_USAGE
        assert "vetlla reminders list" in done.error


def test_a_directory_without_reminders_is_refused_and_stays_as_it_was(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("reminders", "list", "--state-dir", tmp_path)
    assert done.status == os.EX_USAGE
    assert "--state-dir" in done.error
    assert not (tmp_path / "reminders.db").exists()
