"""``vetlla complaints``: arrival, answer, the city's verdict, the report; and incidents of the service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla


@pytest.fixture
def desk(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with three homes and two people."""
    register_homes(state_dir.parent)
    people = tmp_path / "people.csv"
    people.write_text("code,home,user_type\nP1,H1,A\nP2,H2,A\n", encoding="utf-8")
    done = vetlla("inventory", "import", people, "--what", "people")
    assert done.status == 0, done.error
    return vetlla


def opened(desk: Vetlla, *words: str) -> int:
    """Record an arrival; return its number."""
    done = desk("complaints", "open", *words, "--json")
    assert done.status == 0, done.error
    return int(done.json[0]["id"])


def act(desk: Vetlla, *words: object) -> Done:
    """Run an act; it must be accepted."""
    done = desk("complaints", *words)
    assert done.status == 0, done.error
    return done


def test_a_claim_from_arrival_to_verdict(desk: Vetlla) -> None:
    words = ("H1", "--kind", "claim", "--topic", "punctuality", "--ref", "Q-1", "--at", "2025-03-05T10:00")
    number = opened(desk, *words)
    act(desk, "acknowledge", number, "--at", "2025-03-05T12:00")
    assert "kept, answered" in act(desk, "answer", number, "--at", "2025-03-12T10:00", "--ref", "S-1").out
    act(desk, "judge", number, "pertinent", "--at", "2025-03-20")
    assert act(desk, "judge", number, "not_pertinent", "--at", "2025-04-02").out.endswith("not pertinent\n")
    (shown,) = desk("complaints", "show", number, "--json").json
    assert (shown["verdict"], shown["city"], shown["topic"], shown["ans"]) == (
        "kept",
        "not_pertinent",
        "punctuality",
        19,
    )
    assert [event["event"] for event in shown["events"]] == [
        "received", "acknowledged", "answered", "pertinent", "not_pertinent",
    ]  # fmt: skip
    assert "The city's verdict: not pertinent." in desk("complaints", "show", number).out


def test_a_complaint_may_be_about_the_service(desk: Vetlla) -> None:
    number = opened(desk, "--service", "--ref", "Q-2", "--at", "2025-03-05T10:00")
    assert desk("complaints", "list", "--home", "service", "--json").json[0]["id"] == number
    for words in ((), ("H1", "--service")):
        assert desk("complaints", "open", *words).status == os.EX_USAGE
    assert desk("complaints", "open", "H9").status == os.EX_USAGE


def test_a_suggestion_is_not_judged(desk: Vetlla) -> None:
    number = opened(desk, "H1", "--kind", "suggestion", "--at", "2025-03-05T10:00")
    done = desk("complaints", "judge", number, "pertinent")
    assert (done.status, "a suggestion has no event 'pertinent'" in done.error) == (os.EX_USAGE, True)


def test_another_duty_is_no_complaint(desk: Vetlla) -> None:
    number = desk("duties", "open", "fault", "H1", "--json").json[0]["id"]
    for words in (("answer", number), ("show", number)):
        done = desk("complaints", *words)
        assert (done.status, f"duty {number} is a fault" in done.error) == (os.EX_USAGE, True)


def test_the_list_filters(desk: Vetlla) -> None:
    first = opened(desk, "H1", "--kind", "claim", "--topic", "keys", "--at", "2025-03-05T10:00")
    second = opened(desk, "H2", "--at", "2025-04-05T10:00")
    act(desk, "answer", first, "--at", "2025-03-06")

    def numbers(*words: str) -> list[int]:
        return [one["id"] for one in desk("complaints", "list", *words, "--json").json]

    assert sorted(numbers()) == [first, second]
    assert numbers("--open") == [second]
    assert numbers("--kind", "claim") == numbers("--topic", "keys") == numbers("--until", "2025-04-01") == [first]
    assert numbers("--home", "H2") == numbers("--since", "2025-04-01") == [second]
    assert "keys" in desk("complaints", "list").out


def test_the_report_of_a_month(desk: Vetlla) -> None:
    first = opened(desk, "H1", "--kind", "claim", "--topic", "keys", "--at", "2025-03-05T10:00")
    late = opened(desk, "H2", "--kind", "complaint", "--at", "2025-03-06T10:00")
    act(desk, "answer", first, "--at", "2025-03-06")
    act(desk, "answer", late, "--at", "2025-03-20")
    done = desk("complaints", "report", "--month", "2025-03", "--json")
    assert done.status == 1
    (report,) = done.json
    assert (report["received"], report["late"]) == ({"complaint": 1, "claim": 1, "suggestion": 0}, [late])
    assert (report["users"], report["most_pertinent"], report["pertinent_kept"]) == (2, 0, True)
    assert (
        "ANS 19 not kept: 1 answered in term, 1 late, 0 open" in desk("complaints", "report", "--month", "2025-03").out
    )
    act(desk, "judge", first, "pertinent", "--at", "2025-04-10")
    april = desk("complaints", "report", "--month", "2025-04", "--json")
    assert (april.status, april.json[0]["pertinent"], april.json[0]["pertinent_kept"]) == (1, [first], False)
    assert desk("complaints", "report", "--month", "2025-05").status == 0
    assert desk("complaints", "report", "--month", "2999-01").status == os.EX_USAGE


def test_a_complaint_about_to_run_out_is_in_the_check_of_duties(desk: Vetlla) -> None:
    opened(desk, "--service", "--at", "7d")
    done = desk("duties", "check", "--kind", "complaint")
    assert (done.status, "complaint 1 of service: the clock runs out in" in done.out) == (1, True)


def test_an_incident_is_about_the_service(desk: Vetlla) -> None:
    assert desk("duties", "open", "incident", "service", "--ref", "I-1").status == 0
    done = desk("duties", "open", "incident", "H1")
    assert (done.status, "is not the service" in done.error) == (os.EX_USAGE, True)


def test_a_file_of_events_may_be_about_the_service(desk: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    heading = "kind,subject,event,at,ref\n"
    file.write_text(
        heading + "complaint,service,received,2025-03-05 10:00,Q1\nincident,service,happened,2025-03-05 10:00,I1\n",
        encoding="utf-8",
    )
    assert desk("duties", "import", file, "--json").json[0]["new"] == 2
    for row in ("incident,H1,happened,2025-03-05 10:00,I2\n", "complaint,H9,received,2025-03-05 10:00,Q2\n"):
        file.write_text(heading + row, encoding="utf-8")
        assert desk("duties", "import", file).status == os.EX_USAGE
