"""The order of the board, records without their end, and what ``dispatch check`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.dispatch.doing import act, rows
from tests.rigs.daemon import running
from tests.rigs.street import CLOCK, furnish, write_alarms
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.dispatch import looking
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla


def test_more_emergencies_than_units_are_put_in_order(street: Vetlla, state_dir: Path) -> None:
    """Type I by the time left, then type II; the free units go to the first ones, and each line says why."""
    for unit in ("UMO-01", "UMO-02"):
        act(street, "units", "off", unit)
    act(street, "type", 3, "II")
    act(street, "type", 4, "I")
    act(street, "type", 2, "I")
    board = rows(street, "board")
    assert [(line["alarm"], line["proposed"]) for line in board] == [("1", "UMO-03"), ("4", None), ("3", None)]
    assert "can no longer be reached in time" in board[0]["why"]
    assert "after the emergency of alarm 1, which has less time left" in board[1]["why"]
    assert "type I comes first" in board[2]["why"]
    assert [line["escalated"] for line in board] == [True, False, False]
    assert street("dispatch", "board").status == 0
    act(street, "send", 2, "--unit", "UMO-03")
    assert [line["alarm"] for line in rows(street, "board")] == ["4", "3", "1"]


def test_a_record_without_its_end_takes_no_unit_from_a_person_who_waits(street: Vetlla) -> None:
    """One emergency of three weeks ago was never ended, and another one kept its unit. Both come last, apart."""
    for unit in ("UMO-01", "UMO-02"):
        act(street, "units", "off", unit)
    (lost,) = street("duties", "open", "umo_1", "H1", "--at", "21d", "--json").json
    (kept,) = street("duties", "open", "umo_2", "H2", "--at", "20d", "--json").json
    (event,) = street("duties", "event", kept["id"], "sent", "--at", "20d", "--json").json
    assert event
    act(street, "type", 4, "I")
    board = rows(street, "board")
    assert [(line["duty"], line["state"], line["proposed"]) for line in board][1:] == [
        (lost["id"], "no news", None),
        (kept["id"], "no news", None),
    ]
    assert (board[0]["alarm"], board[0]["proposed"]) == ("4", "UMO-03")
    assert f"record its end: vetlla dispatch cancelled D{lost['id']} --reason WHY" in board[1]["why"]
    checked = street("dispatch", "check")
    assert (checked.status, "nothing was recorded of it for a day" in checked.out) == (1, True)
    assert "1 wait for a unit to get in, 1 of them have none; nothing was recorded of 2 others" in checked.out
    act(street, "cancelled", f"D{lost['id']}", "--reason", "the file had no end", "--at", "21d")
    assert [line["alarm"] for line in rows(street, "board")] == ["4", None]


def test_a_record_without_its_end_keeps_no_unit(street: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "umo.csv"
    file.write_text(
        "kind,subject,event,at,ref,team,base\n"
        "umo_1,H1,communicated,2026-10-05T10:00:00+02:00,U-1,,\n"
        "umo_1,H1,sent,2026-10-05T10:05:00+02:00,U-1,UMO-03,NORD\n"
        "umo_1,H2,communicated,2026-10-05T10:00:00+02:00,U-2,,\n"
        "umo_1,H2,sent,2026-10-05T10:05:00+02:00,U-2,UMO-01,PONENT\n"
        "umo_1,H2,access,2026-10-05T10:15:00+02:00,U-2,UMO-01,PONENT\n",
        encoding="utf-8",
    )
    assert street("duties", "import", file).status == 0
    assert {line["state"] for line in rows(street, "board")} == {"no news"}
    assert {one["state"] for one in rows(street, "units", "list")} == {"free"}
    act(street, "type", 4, "I")
    assert rows(street, "board")[0]["proposed"] == "UMO-03"
    act(street, "send", 4, "--unit", "UMO-03")
    assert {one["unit"]: one["state"] for one in rows(street, "units", "list")}["UMO-03"] == "on_the_way"


def test_a_call_does_not_join_a_record_without_its_end(street: Vetlla) -> None:
    """The call would be a grave breach as soon as it came."""
    (lost,) = street("duties", "open", "umo_1", "H3", "--at", "21d", "--json").json
    typed = act(street, "type", 4, "I")
    assert (typed["id"] != lost["id"], typed["verdict"], typed["alarms"]) == (True, "open", ["4"])


def test_an_emergency_without_a_unit_is_put_before_a_supervisor_once(vetlla: Vetlla, tmp_path: Path) -> None:
    """The receiver's queue has the reason; an emergency whose alarms are closed is reported by the check."""
    (tmp_path / "state").mkdir(exist_ok=True)

    def run(*words: object) -> Done:
        done = vetlla(*words, "--state-dir", tmp_path / "state")
        assert done.status in {0, 2}, done
        return done

    furnish(run, tmp_path)
    write_alarms(tmp_path / "state", (1, "H1", 40, 38), (2, "H2", 12, None))
    run("dispatch", "type", 1, "I")
    run("dispatch", "type", 2, "II")
    assert "escalation" in {
        one["check"] for one in run("dispatch", "check", "--escalate", "--json").json
    }  # no receiver
    with running(tmp_path):
        first = run("dispatch", "check", "--escalate", "--json").json
        run("dispatch", "check", "--escalate")
        (queued,) = run("queue", "show", 2, "--json").json
    assert [one["text"] for one in first if one["check"] == "escalation"] == [
        "emergency of type I, home H1: its alarms are closed, so that none can be escalated"
    ]
    assert queued["alarm"]["escalated_why"] == "emergency without a unit for 5 min 0 s"
    events = run("dispatch", "show", 2, "--json").json[0]["events"]
    assert [event["event"] for event in events].count("escalated") == 1


def test_a_check_that_cannot_read_is_unknown(vetlla: Vetlla, state_dir: Path) -> None:
    (state_dir / "registry.db").write_bytes(b"no database" * 100)
    done = vetlla("dispatch", "check")
    assert (done.status, done.out.splitlines()[0]) == (3, "DISPATCH UNKNOWN: the emergencies cannot be read")


def test_only_a_look_at_an_emergency_that_is_over_reads_the_events_of_all_years(
    street: Vetlla, state_dir: Path
) -> None:
    act(street, "type", 4, "I")
    read: list[str] = []
    rules = load_rules(None, None)
    with snapshot(state_dir, CLOCK) as connection:
        connection.set_trace_callback(read.append)
        found = looking.of_alarm(connection, rules, "4", CLOCK.now().utc_us)
        assert (found is not None, any("instr" in sql for sql in read)) == (True, False)
        assert looking.of_alarm(connection, rules, "77", CLOCK.now().utc_us) is None
        assert any("instr" in sql for sql in read)


def test_the_check_is_critical_without_a_unit(street: Vetlla, state_dir: Path) -> None:
    assert street("dispatch", "check").status == 0
    act(street, "type", 4, "I")
    assert street("dispatch", "check").status == 0
    write_alarms(state_dir, (20, "H1", 6, None), (21, "H2", 28, None))
    act(street, "type", 20, "II")  # joins the press 40 minutes ago
    checked = street("dispatch", "check")
    assert checked.status == 2
    assert "has no unit after 5 min 0 s" in checked.out
    act(street, "send", 20, "--unit", "UMO-03")
    act(street, "type", 21, "I")
    act(street, "send", 21, "--unit", "UMO-01")
    checked = street("dispatch", "check")
    assert checked.status == 1, checked.out
    assert "are left" in checked.out
    act(street, "access", 21)
    assert street("dispatch", "check").status == 0


def test_the_board_of_the_operators_shows_the_units(street: Vetlla, state_dir: Path) -> None:
    from vetlla.cli.board.emergencies import StreetWatch  # noqa: PLC0415

    watch = StreetWatch(state_dir)
    assert watch.street().drawn() == []
    act(street, "type", 4, "I")
    act(street, "type", 2, "I")
    act(street, "send", 4, "--unit", "UMO-03")
    heads, late, due = (line.plain for line in watch.street().drawn())
    assert heads.split()[:4] == ["alarm", "home", "type", "unit"]
    assert late.split()[:5] == ["1", "H1", "I", "NO", "UNIT"]
    assert due.split()[:4] == ["4", "H3", "I", "UMO-03"]
    assert watch.street().fields()[0]["left_s"] < 0 < watch.street().fields()[1]["left_s"]
    (state_dir / "registry.db").write_bytes(b"no database" * 500)
    assert "cannot be read" in watch.street().drawn()[0].plain
