"""``vetlla reminders pause``, ``resume`` and ``pauses``."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rigs.reminders_desk import OFFICE
from vetlla.domain.clock import iso, to_us

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld

FIELDS = ["office", "from", "until", "by", "why"]


def test_an_office_is_paused_until_a_time_and_resumed(vetlla: Vetlla, desk: DeskWorld) -> None:
    until = iso(to_us(desk.now + timedelta(hours=5)))
    (made,) = vetlla("reminders", "pause", OFFICE, "--until", until, "--why", "avui tanquem", "--json").json
    assert list(made) == FIELDS
    assert (made["office"], made["until"], made["why"]) == (OFFICE, until, "avui tanquem")
    assert vetlla("reminders", "pauses", "--json").json == [made]
    assert "avui tanquem" in vetlla("reminders", "pauses").out
    assert vetlla("reminders", "resume", OFFICE, "--json").json == [{"office": OFFICE, "ended": 1}]
    assert vetlla("reminders", "pauses").out == ""
    assert [action for action, _ in desk.audited()] == ["paused", "resumed"]


def test_a_pause_has_a_length_or_no_end(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla("reminders", "pause", OFFICE, "--for", "2h", "--reason", "obres").status == 0
    assert "vetlla reminders resume" in vetlla("reminders", "pause", OFFICE, "--why", "obres").out
    ends = [one["until"] for one in vetlla("reminders", "pauses", "--json").json]
    assert ends.count(None) == 1
    assert vetlla("reminders", "resume", OFFICE, "--json").json == [{"office": OFFICE, "ended": 2}]


def test_an_office_that_is_not_known_is_not_paused(vetlla: Vetlla, desk: DeskWorld) -> None:
    done = vetlla("reminders", "pause", "OMACC", "--why", "x")
    assert done.status == os.EX_USAGE
    assert OFFICE in done.error
    assert vetlla("reminders", "resume", "OMACC").status == os.EX_USAGE


def test_an_office_that_is_not_paused_is_resumed_without_a_record(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla("reminders", "resume", OFFICE, "--json").json == [{"office": OFFICE, "ended": 0}]
    assert "was not paused" in vetlla("reminders", "resume", OFFICE).out
    assert desk.audited() == []


def test_a_pause_that_would_be_over_is_refused(vetlla: Vetlla, desk: DeskWorld) -> None:
    for end in ("2020-01-01", "2h"):
        assert vetlla("reminders", "pause", OFFICE, "--until", end, "--why", "x").status == os.EX_USAGE
    both = ("--until", "2099-01-01", "--for", "2h")
    assert vetlla("reminders", "pause", OFFICE, *both, "--why", "x").status == os.EX_USAGE
    assert vetlla("reminders", "pauses").out == ""
