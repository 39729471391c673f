"""The commands of duties as an operator, a technician and a quality officer type them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.domain.clock import SystemClock, iso, to_datetime, to_us
from vetlla.settings.shipped import duty_kinds_file
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties import index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def ago(**time: float) -> str:
    """Return the time so long ago, as people type it."""
    return iso(to_us(to_datetime(SystemClock().now().utc_us) - timedelta(**time)))


def opened(vetlla: Vetlla, *words: object) -> dict[str, Any]:
    """Open a duty; return it."""
    done = vetlla("duties", "open", *words, "--json")
    assert done.status == 0, done
    return done.json[0]


def shown(vetlla: Vetlla, number: int, *words: object) -> dict[str, Any]:
    """Return what is shown of a duty."""
    return vetlla("duties", "show", number, *words, "--json").json[0]


def test_a_fault_from_its_opening_to_its_end(stocked: Vetlla) -> None:
    fault = opened(stocked, "fault", "H1", "--at", "2026-11-02T09:00", "--ref", "F-1207", "--by", "desk")
    assert fault.keys() == {
        "id", "kind", "subject", "ref", "opened", "due", "ended", "elapsed", "stopped", "verdict", "ans", "worse",
        "why", "events",
    }  # fmt: skip
    assert (fault["due"], fault["verdict"], fault["ans"]) == ("2026-11-04T22:59:59.999999Z", "breached", 14)
    words = ("arrived", "--at", "2026-11-03T10:00", "--team", "T7", "--base", "NORD")
    done = stocked("duties", "event", fault["id"], *words)
    assert done.out == f"fault {fault['id']} of H1: breached\n"
    solved = stocked("duties", "event", fault["id"], "solved", "--at", "2026-11-03T10:40", "--note", "new battery")
    assert solved.out == f"fault {fault['id']} of H1: kept, solved\n"
    found = shown(stocked, fault["id"])
    assert (found["verdict"], found["elapsed"], found["ended"]) == ("kept", 92_400, "2026-11-03T09:40:00.000000Z")
    assert [event["event"] for event in found["events"]] == ["detected", "arrived", "solved"]
    assert found["events"][1]["details"] == {"base": "NORD", "team": "T7"}
    assert "parameter duty.fault.limit, assumed" in found["why"]
    text = stocked("duties", "show", fault["id"]).out
    assert "Fault of equipment, to be solved" in text
    assert "2026-11-03 10:40:00 CET" in text


def test_a_dry_run_changes_nothing(stocked: Vetlla) -> None:
    assert opened(stocked, "fault", "H1", "--dry-run")["verdict"] == "open"
    assert stocked("duties", "list", "--json").out == ""
    number = opened(stocked, "fault", "H1")["id"]
    assert stocked("duties", "event", number, "solved", "--dry-run").status == 0
    assert stocked("duties", "withdraw", number, "--reason", "wrong", "--dry-run").status == 0
    assert [event["event"] for event in shown(stocked, number)["events"]] == ["detected"]


def test_a_promised_interval(stocked: Vetlla) -> None:
    words = ("visit", "H2", "--at", "2026-11-02T09:00", "--from", "2026-11-04T10:00")
    visit = opened(stocked, *words, "--to", "2026-11-04T11:30")
    assert visit["due"] == "2026-11-04T10:30:00.000000Z"
    assert stocked("duties", "event", visit["id"], "arrived", "--at", "2026-11-04T11:30").out.endswith(": kept\n")
    assert "promises a time" in stocked("duties", "open", "visit", "H2").error
    assert "'soon' is no time" in stocked("duties", "open", *words, "--to", "soon").error
    month = opened(stocked, "follow_up", "H2", "--at", "2026-11-01T08:00", "--to", "2026-11-30")
    assert month["due"] == "2026-11-30T22:59:59.999999Z"


def test_what_is_refused(stocked: Vetlla) -> None:
    for words, message in (
        (("open", "faults", "H1"), "there is no kind of duty 'faults'"),
        (("open", "fault", "H9"), "H9"),
        (("open", "maintenance", "ucr:U9", "--to", "2026-12-01"), "U9"),
        (("open", "revaluation", "P9", "--to", "2026-12-01"), "P9"),
        (("event", 7, "solved"), "there is no duty 7"),
        (("show", 7), "there is no duty 7"),
        (("withdraw", 7, "--reason", "x"), "there is no event 7"),
        (("list", "--kind", "faults"), "there is no kind of duty 'faults'"),
        (("due", "--kind", "faults"), "there is no kind of duty 'faults'"),
    ):
        done = stocked("duties", *words)
        assert (done.status, message in done.error) == (64, True), (words, done)


def test_an_event_is_taken_back_and_the_past_is_still_known(stocked: Vetlla) -> None:
    number = opened(stocked, "complaint", "H1", "--at", "2026-11-02T09:00")["id"]
    answered = stocked("duties", "event", number, "answered", "--at", "2026-11-03T09:00", "--json").json[0]
    event = answered["events"][1]
    before = event["recorded"]
    assert stocked("duties", "withdraw", event["id"], "--reason", "of another home").status == 0
    found = shown(stocked, number)
    assert found["verdict"] == "breached"
    assert [(one["event"], one["withdrawn"]) for one in found["events"]] == [
        ("received", False), ("answered", True), ("withdrawn", False),
    ]  # fmt: skip
    assert shown(stocked, number, "--known", before)["verdict"] == "kept"
    (one,) = stocked("duties", "list", "--known", before, "--json").json
    assert (one["verdict"], one["ended"]) == ("kept", "2026-11-03T08:00:00.000000Z")
    assert "there is no duty" in stocked("duties", "show", number, "--known", "2026-11-01").error


def test_a_duty_that_was_withdrawn_says_so(stocked: Vetlla) -> None:
    """Its number stands in a report or a letter, so the question what became of it has an answer."""
    number = opened(stocked, "fault", "H1", "--at", "2026-11-02T09:00", "--ref", "F-1")["id"]
    taken = stocked("duties", "event", number, "cancelled", "--json").json[0]["events"][1]["id"]
    for event in (taken, number):
        assert stocked("duties", "withdraw", event, "--reason", "of another home").status == 0
    found = shown(stocked, number)
    assert (found["verdict"], found["due"], found["ref"], found["ans"]) == (None, None, "F-1", 14)
    assert "withdrawn at" in found["why"]
    assert "of another home" in found["why"]
    assert [(one["event"], one["withdrawn"]) for one in found["events"][:2]] == [
        ("detected", True),
        ("cancelled", True),
    ]
    assert [one["event"] for one in found["events"][2:]] == ["withdrawn", "withdrawn"]
    assert f"fault {number} of H1: withdrawn" in stocked("duties", "show", number).out
    refused = stocked("duties", "event", number, "solved")
    assert f"{number} was withdrawn: detected of fault H1" in refused.error
    assert f"vetlla duties show {number}" in refused.error
    again = found["events"][3]["id"]
    assert stocked("duties", "withdraw", again, "--reason", "it was right").status == 0
    assert shown(stocked, number)["verdict"] == "breached"


def test_the_number_of_an_event_names_its_duty(stocked: Vetlla) -> None:
    number = opened(stocked, "fault", "H1", "--at", "2026-11-02T09:00")["id"]
    event = stocked("duties", "event", number, "arrived", "--json").json[0]["events"][1]["id"]
    refused = stocked("duties", "show", event)
    assert (refused.status, f"{event} is no duty, but an event: arrived of fault H1" in refused.error) == (64, True)
    assert f"vetlla duties show {number}" in refused.error


def test_lists_and_filters(stocked: Vetlla) -> None:
    first = opened(stocked, "fault", "H1", "--at", "2026-10-01")["id"]
    second = opened(stocked, "complaint", "H2", "--at", "2026-11-02", "--ref", "2026-77")["id"]
    third = opened(stocked, "fault", "H2")["id"]
    stocked("duties", "event", second, "answered", "--at", "2026-11-03")

    def found(*words: object) -> list[int]:
        return [one["id"] for one in stocked("duties", "list", *words, "--json").json]

    assert sorted(found()) == [first, second, third]
    assert found("--kind", "fault") == [first, third]
    assert found("--ans", 19) == found("--ref", "2026-77") == found("--ref", "2026-77", "--subject", "H2") == [second]
    assert found("--ref", "2026-77", "--subject", "H1") == found("--ref", "77") == []
    assert found("--subject", "H1") == found("--verdict", "breached") == [first]
    assert sorted(found("--open")) == [first, third]
    assert found("--since", "2026-11-01", "--until", "2026-11-03") == [second]
    assert found("--limit", 1, "--kind", "fault") == [first]
    assert "breached" in stocked("duties", "list").out


def test_the_most_urgent_comes_first(stocked: Vetlla) -> None:
    late = opened(stocked, "umo_2", "H1", "--at", ago(hours=2))["id"]
    soon = opened(stocked, "umo_1", "H2", "--at", ago(minutes=10))["id"]
    complaint = opened(stocked, "complaint", "H1", "--at", ago(days=2))["id"]
    due = stocked("duties", "due", "--json").json
    assert [one["id"] for one in due] == [late, soon, complaint]
    assert [one["id"] for one in stocked("duties", "due", "--within", "1h", "--json").json] == [late, soon]
    assert [one["id"] for one in stocked("duties", "due", "--kind", "complaint", "--json").json] == [complaint]
    assert [one["id"] for one in stocked("duties", "due", "--limit", 1, "--json").json] == [late]
    stocked("duties", "event", late, "access")
    assert late not in [one["id"] for one in stocked("duties", "due", "--json").json], "it is decided"


def test_the_check_for_monitoring(stocked: Vetlla, tmp_path: Path) -> None:
    """The statuses are 0, 1, 2 and 3."""
    assert stocked("duties", "check").status == 0
    number = opened(stocked, "umo_1", "H1", "--at", ago(minutes=20))["id"]
    assert stocked("duties", "check").status == 0
    assert opened(stocked, "umo_1", "H2", "--at", ago(minutes=30))["verdict"] == "open"
    done = stocked("duties", "check")
    assert (done.status, done.out.splitlines()[0]) == (
        1,
        "DUTIES WARNING: 0 have run out, 1 warnings, 0 ran out longer ago",
    )
    opened(stocked, "umo_2", "H1", "--at", ago(hours=2))
    done = stocked("duties", "check", "--json")
    assert (done.status, [one["check"] for one in done.json]) == (2, ["umo_2", "umo_1"])
    assert stocked("duties", "check", "--kind", "fault").status == 0
    assert stocked("duties", "check", "--for", "1m").status == 1
    assert stocked("duties", "event", number, "access").status == 0
    broken = tmp_path / "kinds.toml"
    broken.write_text("[fault]\n", encoding="utf-8")
    done = stocked("duties", "check", "--kinds", broken)
    assert (done.status, "UNKNOWN" in done.out) == (3, True)
    assert stocked("duties", "check", "--kind", "faults").status == 3, "a typing error must not look like peace"


def test_kinds_of_ones_own(stocked: Vetlla, tmp_path: Path) -> None:
    """Another file has other kinds; readers and writers with different files each get right answers."""
    mine = tmp_path / "kinds.toml"
    mine.write_text(
        '[promise]\ntitle = "A promise"\nsubject = "home"\nopens = "given"\nends = ["kept"]\nclock = "limit"\n'
        'limit = "duty.complaint.limit"\nclause = "ours"\n',
        encoding="utf-8",
    )
    assert [one["kind"] for one in stocked("duties", "kinds", "--kinds", mine, "--json").json] == ["promise"]
    opened(stocked, "promise", "H1", "--at", "2026-11-02", "--kinds", mine)
    fault = opened(stocked, "fault", "H1", "--at", "2026-11-02")["id"]
    assert [one["id"] for one in stocked("duties", "due", "--json").json] == [fault]
    assert [one["kind"] for one in stocked("duties", "due", "--json", "--kinds", mine).json] == ["promise"]
    for content, message in (("[fault", "not TOML"), ("[fault]\nclock = 1\n", "fault.title: Field required")):
        mine.write_text(content, encoding="utf-8")
        done = stocked("duties", "list", "--kinds", mine)
        assert (done.status, message in done.error) == (78, True), done
    gone = stocked("duties", "list", "--kinds", tmp_path / "gone.toml")
    assert (gone.status, "No such file" in gone.error) == (78, True)


def test_every_kind_that_is_listed_can_be_opened(stocked: Vetlla) -> None:
    kinds = stocked("duties", "kinds", "--json").json
    assert len(kinds) >= 22
    codes = {
        "home": "H1",
        "device": "ucr:U1",
        "document": "report-2026-10",
        "service": "service",
        "home or service": "service",
        "alarm": "17",
        "key": "K1",
    }
    for kind in kinds:
        code = codes.get(kind["subject"])
        if code is None:
            continue  # no person is registered here
        promise = {"interval": ("--from", ago(hours=-1), "--to", ago(hours=-2)), "date": ("--to", "2099-01-01")}
        one = opened(stocked, kind["kind"], code, *promise.get(kind["clock"], ()))
        assert one["verdict"] == "open", kind
        assert json.dumps(one["why"]), kind


def test_check_names_reindex_when_there_are_many_events_and_other_kinds(
    stocked: Vetlla, state_dir: Path, tmp_path: Path
) -> None:
    fault = opened(stocked, "fault", "H1")["id"]
    with transaction(state_dir, SystemClock()) as connection:
        many = (index.REBUILT_AT_MOST + 1, "fault", "H1", "arrived", SystemClock().now().utc_us, "test")
        connection.execute(_ONE_OF_MANY, many)
    mine = tmp_path / "kinds.toml"
    text = duty_kinds_file().read_text(encoding="utf-8")
    mine.write_text(text.replace('title = "Complaint, to be answered"', 'title = "Complaint"'), encoding="utf-8")
    assert stocked("duties", "check").status == 0
    assert stocked("duties", "event", fault, "arrived", "--kinds", mine).status == 0
    warned = stocked("duties", "check", "--kinds", mine)
    assert (warned.status, "vetlla duties reindex" in warned.out) == (1, True), warned
    words = ("duties", "reindex", "--kinds", mine)
    dry = stocked(*words, "--dry-run")
    assert dry.out == "1 open duties, 0 events that belong to no duty (dry run: nothing was written)\n"
    assert stocked("duties", "check", "--kinds", mine).status == 1
    assert stocked(*words, "--json").json == [{"open": 1, "loose": 0, "dry_run": False}]
    assert stocked("duties", "check", "--kinds", mine).status == 0


_ONE_OF_MANY = """INSERT INTO duty_events (id, kind, subject, event, at_us, source, recorded_us, ref, "by", note,
 details, duty, withdraws) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, '', '', '', '', 0, 0)"""


@pytest.mark.parametrize("words", ["duties check", "custody check", "dispatch check"])
def test_a_check_without_a_registry_is_unknown(vetlla: Vetlla, state_dir: Path, words: str) -> None:
    """A registry that was lost must not look like one in which all is well."""
    state_dir.mkdir(exist_ok=True)
    done = vetlla(*words.split())
    assert (done.status, "there is no registry" in done.out) == (3, True)
