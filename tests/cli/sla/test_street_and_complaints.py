"""ANS 8, 11, 12 and 20 in ``vetlla sla report``: emergencies at their limits, pertinent complaints, audits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.cli.sla.conftest import Changed

EVENTS = """kind,subject,event,at,ref,base
umo_1,H1,communicated,2025-10-06T09:00:00+02:00,E-1,NORD
umo_1,H1,access,2025-10-06T09:30:00+02:00,E-1,NORD
umo_1,H1,finished,2025-10-06T10:00:00+02:00,E-1,NORD
umo_1,H2,communicated,2025-10-07T09:00:00+02:00,E-2,nord
umo_1,H2,access,2025-10-07T09:35:00+02:00,E-2,nord
umo_1,H2,finished,2025-10-07T10:00:00+02:00,E-2,nord
umo_1,H3,communicated,2025-10-08T09:00:00+02:00,E-3,
umo_1,H3,access,2025-10-08T09:52:30+02:00,E-3,
umo_1,H3,finished,2025-10-08T10:00:00+02:00,E-3,
umo_1,H3,communicated,2025-10-31T23:50:00+01:00,E-4,SUD
umo_1,H3,access,2025-11-01T00:50:00+01:00,E-4,SUD
umo_1,H3,finished,2025-11-01T01:00:00+01:00,E-4,SUD
umo_1,H1,communicated,2025-10-09T09:00:00+02:00,E-5,
umo_1,H1,cancelled,2025-10-09T09:10:00+02:00,E-5,
umo_1,H1,communicated,2025-10-10T09:00:00+02:00,E-6,
umo_1,H1,retyped,2025-10-10T09:05:00+02:00,E-6,
umo_2,H1,communicated,2025-10-10T09:00:00+02:00,E-6,
umo_2,H1,access,2025-10-10T10:30:00+02:00,E-6,
umo_2,H1,finished,2025-10-10T11:00:00+02:00,E-6,
claim,H1,received,2025-08-01T09:00:00+02:00,C-1,
claim,H1,answered,2025-08-02T09:00:00+02:00,C-1,
claim,H1,pertinent,2025-10-20T09:00:00+02:00,C-1,
claim,H2,received,2025-10-02T09:00:00+02:00,C-2,
complaint,service,received,2025-10-03T09:00:00+02:00,C-3,
complaint,service,not_pertinent,2025-10-04T09:00:00+02:00,C-3,
call_audit,call:1759305600.7,audited,2025-10-05T09:00:00+02:00,A-1,
call_audit,call:1759305600.7,met,2025-10-05T09:00:00+02:00,A-1,
call_audit,alarm:17,audited,2025-10-05T09:00:00+02:00,A-2,
call_audit,alarm:17,not_met,2025-10-05T09:00:00+02:00,A-2,
call_audit,alarm:18,audited,2025-10-05T09:00:00+02:00,A-3,
"""


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with homes, two people, and what happened in a month."""
    register_homes(state_dir.parent)
    people, events = tmp_path / "people.csv", tmp_path / "events.csv"
    people.write_text("code,home,user_type\nP1,H1,A\nP2,H2,A\n", encoding="utf-8")
    events.write_text(EVENTS, encoding="utf-8")
    for words in (("inventory", "import", people, "--what", "people"), ("duties", "import", events)):
        done = vetlla(*words)
        assert done.status == 0, done.error
    return vetlla


def level(service: Vetlla, ans: int, *words: object, month: str = "2025-10") -> dict[str, Any]:
    """Return the figures of one level."""
    (row,) = service("sla", "report", "--month", month, "--ans", ans, *words, "--json").json
    return row


def counts(row: dict[str, Any]) -> list[tuple[object, ...]]:
    """Return the parts with their counts and verdicts."""
    return [(part["name"], part["numerator"], part["denominator"], part["verdict"]) for part in row["parts"]]


def test_type_i_is_judged_by_its_limit_and_by_the_offered_share(service: Vetlla) -> None:
    row = level(service, 11)
    assert counts(row) == [("limit", 2, 4, "not_kept"), ("share", 1, 4, "not_kept")]
    assert [(one["home"], one["measured_s"], one["grave"]) for one in row["breached"]] == [
        ("H3", 3150.0, False),  # exactly one and a half limits
        ("H3", 3600.0, True),
    ]
    assert {"sla.month.11", "duty.umo.no_access_counts"} <= set(row["assumed"])
    (spread,) = row["spreads"]
    assert (spread["name"], spread["cases"], spread["longest_s"]) == ("arrival", 4, 3600.0)
    assert (spread["step_s"], spread["limits_s"]) == (60, [1800, 2100, 3150])
    assert [one for one in row["groups"] if one["by"] == "base"] == [
        {"by": "base", "name": "NORD", "numerator": 2, "denominator": 2},
        {"by": "base", "name": "SUD", "numerator": 0, "denominator": 2},
    ]


def test_a_base_is_one_group_also_if_a_file_spells_it_before_its_first_home_comes(
    service: Vetlla, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.csv"
    earlier.write_text(
        "kind,subject,event,at,ref,base\n"
        "umo_1,H1,communicated,2025-10-01T09:00:00+02:00,E-0,s ud\n"
        "umo_1,H1,access,2025-10-01T09:10:00+02:00,E-0,s ud\n",
        encoding="utf-8",
    )
    assert service("duties", "import", earlier).status == 0
    assert [one for one in level(service, 11)["groups"] if one["by"] == "base"] == [
        {"by": "base", "name": "NORD", "numerator": 2, "denominator": 2},
        {"by": "base", "name": "SUD", "numerator": 1, "denominator": 3},
    ]


def test_an_emergency_that_went_on_as_the_other_type_counts_once(service: Vetlla) -> None:
    row = level(service, 12)
    assert counts(row) == [("limit", 1, 1, "kept")]
    assert row["spreads"][0]["limits_s"] == [5400, 8100]


def test_the_report_of_dispatch_says_the_same(service: Vetlla) -> None:
    found = service("dispatch", "report", "--month", "2025-10", "--json").json
    whole = {one["type"]: one for one in found if one["of"] == "service"}
    assert (whole["I"]["within_limit"], whole["I"]["emergencies"], whole["I"]["within_share"]) == (2, 4, 1)
    assert (whole["II"]["within_limit"], whole["II"]["emergencies"]) == (1, 1)


def test_the_month_of_an_emergency_is_a_parameter(service: Vetlla, changed: Changed) -> None:
    by_due = changed("sla.month.11", "due")
    assert counts(level(service, 11, "--parameters", by_due))[0][1:3] == (2, 3)
    assert counts(level(service, 11, "--parameters", by_due, month="2025-11"))[0][1:3] == (0, 1)


def test_a_pertinent_claim_counts_in_the_month_of_the_verdict(service: Vetlla, changed: Changed) -> None:
    row = level(service, 20)
    assert counts(row) == [("pertinent", 1, 2, "not_kept")]
    assert (row["breaches"], row["undecided"]) == (1, 1)
    assert [(one["home"], one["reason"], one["at"]) for one in row["breached"]] == [
        ("H1", "pertinent", "2025-10-20T07:00:00.000000Z")
    ]
    assert counts(level(service, 20, month="2025-08")) == [("pertinent", 0, 2, "kept")]
    more = changed("complaint.users_per_pertinent", 1)
    assert counts(level(service, 20, "--parameters", more)) == [("pertinent", 1, 2, "kept")]
    allowed = level(service, 20, "--parameters", more)
    assert (allowed["breached"], [one["numerator"] for one in allowed["groups"] if one["by"] == "district"]) == (
        [],
        [1, 0, 0],
    )


def test_audits_are_imported_and_without_them_ans_8_is_not_measured(service: Vetlla) -> None:
    row = level(service, 8)
    assert counts(row) == [("all", 1, 2, "not_kept")]
    assert row["undecided"] == 1
    assert [(one["subject"], one["reason"]) for one in row["breached"]] == [("alarm:17", "failed")]
    assert "sla.share.8" in row["assumed"]
    assert level(service, 8, month="2025-09")["verdict"] == "not_measured"


def test_a_subject_that_is_no_communication_is_refused(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    file.write_text("kind,subject,event,at\ncall_audit,17,audited,2025-10-05T09:00:00Z\n", encoding="utf-8")
    assert "call:ID or alarm:NUMBER" in service("duties", "import", file).talk
    done = service("duties", "open", "call_audit", "17", "--at", "2025-10-05T09:00:00Z")
    assert "call:ID or alarm:NUMBER" in done.error
