from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from tests.rigs import terminal_screen
from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon, running, vetlla
from tests.rigs.terminal import Terminal
from vetlla.cli.board.command import PAGE, Watch
from vetlla.cli.board.screen import BoardPicture, line, screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.receiver.control.messages.receiver import Status

AT = datetime(2026, 11, 21, 22, 33, 1, tzinfo=UTC)
STATUS: Any = {
    "ready": True,
    "why": "",
    "uptime_s": 7501.0,
    "listening": [
        {"name": "dc09", "protocol": "dc09", "transport": transport, "host": "127.0.0.1", "port": 9009}
        for transport in ("tcp", "udp")
    ],
    "counts": {"signals": 1204, "heartbeats": 45000, "duplicates": 12, "refused": 0, "rejects": 3, "connections": 40},
    "supervision": {
        "devices": 1460,
        "states": {"lost": 3, "late": 2, "unknown": 1, "not_supervised": 54, "ok": 1400},
        "incidents_open": 2,
        "incidents": [
            {"incident": 7, "label": "operator:example", "lost": 12},
            {"incident": 8, "label": "cell:" + "9" * 300, "lost": 4},
        ],
    },
    "store": {"free_bytes": 31 << 30, "state": "ok", "commit_ms_last": 0.42},
}
QUIET = STATUS | {
    "supervision": {
        "devices": 2,
        "states": dict.fromkeys(("lost", "late", "unknown"), 0) | {"ok": 2, "not_supervised": 0},
        "incidents_open": 0,
    }
}
NOT_READY = STATUS | {"ready": False, "why": "disk almost full: 12 MiB free"}


def alarm(number: int, **fields: Any) -> Any:  # noqa: ANN401 - some fields of an alarm
    usual = {
        "id": number,
        "home": f"H-{number:04}",
        "account": "4C01",
        "kind": "personal_emergency",
        "priority": "LIFE",
        "state": "waiting",
        "operator": "",
        "why": "personal_emergency 101 from 001",
        "signals": 2,
        "age_s": 9.0,
        "t3_s": 8.0,
        "on_test": False,
        "runaway": False,
        "unknown_account": False,
        "escalated": 0,
        "escalated_by": "",
        "escalated_why": "",
        "warned": None,
        "lapsed": None,
        "told_again": 0,
    }
    return usual | fields


def drawn(picture: BoardPicture, width: int, height: int, *, colours: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, height=height, force_terminal=colours, color_system="standard" if colours else None
    )
    console.print(screen(picture, width, height))
    return out.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (140, 50), (250, 70)])
@pytest.mark.parametrize("alarms", [0, 1, 12, 200])
@pytest.mark.parametrize("status", [STATUS, NOT_READY, None])
def test_the_board_fits_its_terminal(width: int, height: int, alarms: int, status: Status | None) -> None:
    """The board always has exactly the terminal's lines, and no line is too long."""
    queue = [alarm(number, why="x" * 300, state="claimed", operator="o" * 60) for number in range(alarms)]
    lines = drawn(BoardPicture(at=AT, status=status, trouble="t" * 300, alarms=queue), width, height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_the_board_shows_everything_that_a_person_must_know() -> None:
    """The board shows readiness, listeners, uptime, alarms with wait and operator, counts and the store's health."""
    queue = [
        alarm(1),
        alarm(2, why="smoke 111 from 010", state="answered", operator="marta", t3_s=12.0, age_s=185.0),
        alarm(3, why="mains_lost 301", priority="TECHNICAL", age_s=7300.0, t3_s=7300.0, runaway=True),
    ]
    text = drawn(BoardPicture(at=AT, status=STATUS, alarms=queue, per_second=(1.0, 4.0, 2.5)), 140, 30)
    for part in (
        "● ready", "dc09 on 127.0.0.1:9009 tcp+udp", "up 2 h 05", "23:33:01 CET",
        "2 life", "0 home risk", "1 technical",
        "H-0001", "LIFE", "8 s", "waiting",
        "smoke 111 from 010", "3:05", "12 s answered marta",
        "mains_lost 301", "2 h 01", "(R runaway)", "personal_emergency 101 from 001, 2 signals",
        "2.5/s", "1,204 signals", "45,000 heartbeats", "12 duplicates", "3 rejects",
        "fleet 3 lost · 2 late · 1 unknown · incident 7: operator:example, 12 lost, and 1 more",
        "1,400 ok · 54 not supervised",
        "store ok", "31.0 GiB free", "last commit 0.4 ms", "40 connections",
    ):  # fmt: skip
        assert part in text, part
    assert "refused" not in text, "what did not happen is not shown"
    assert "incident 7: operator:example, 12 lost" in drawn(BoardPicture(at=AT, status=STATUS), 80, 24)
    quiet = drawn(BoardPicture(at=AT, status=QUIET), 80, 24)
    assert "fleet 2 ok · 0 not supervised" in quiet
    assert "incident" not in quiet


def test_the_board_says_why_no_report_is_taken() -> None:
    """The board says why a receiver is not ready or not reachable."""
    assert "● not ready  disk almost full: 12 MiB free" in drawn(BoardPicture(at=AT, status=NOT_READY), 80, 24)
    trouble = BoardPicture(at=AT, trouble="no receiver answers at /run/vetlla/control.sock")
    assert "● not reachable  no receiver answers at /run/vetlla/control.sock" in drawn(trouble, 100, 24)


@pytest.mark.parametrize(("waited_s", "colour"), [(14.9, "32"), (15.1, "33"), (29.9, "33"), (30.1, "31")])
def test_an_unanswered_alarm_turns_yellow_at_15_and_red_at_30_seconds(waited_s: float, colour: str) -> None:
    """The clock of t3 is coloured by the limits of the service."""
    text = drawn(BoardPicture(at=AT, status=STATUS, alarms=[alarm(1, t3_s=waited_s)]), 80, 24, colours=True)
    assert f"\x1b[1;{colour}m  {int(waited_s)} s" in text


def test_more_alarms_than_lines_are_counted() -> None:
    """The last line says how many more alarms there are."""
    text = drawn(BoardPicture(at=AT, status=STATUS, alarms=[alarm(number) for number in range(1, 31)]), 80, 24)
    shown = text.count("●") - 1  # the receiver's own
    assert f"and {30 - shown} more: vetlla queue list" in text
    assert shown >= 5


def test_one_line_gives_a_log_the_same() -> None:
    """Without a terminal a picture is one line of text."""
    picture = BoardPicture(at=AT, status=QUIET, alarms=[alarm(1), alarm(2, state="answered")], per_second=(2.5,))
    assert line(BoardPicture(at=AT, status=STATUS)).endswith("store ok · 3 lost · 2 late · 1 unknown · 2 incidents")
    told = "ready · 2 open alarms · 1 unanswered, the oldest 8 s · 2.5 signals/s · store ok"
    assert line(picture) == f"23:33:01 CET {told}"
    assert line(BoardPicture(at=AT, status=NOT_READY)).startswith("23:33:01 CET NOT READY: disk almost full")
    assert line(BoardPicture(at=AT, trouble="no answer")) == "23:33:01 CET not reachable: no answer"


# --- with a receiver --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("board")) as started, Terminal(started.port, "4C07") as home:
        home.alarm("1111", zone=10)
        yield started


def test_once_prints_one_picture(daemon: Daemon) -> None:
    """--once shows the open alarm and the signal that opened it, and stops."""
    done = vetlla("board", "--once", state_dir=daemon.state_dir)
    assert done.returncode == 0, done.stderr
    assert "● ready" in done.stdout
    assert done.stdout.count("smoke") >= 2, "the alarm, and the signal among the last"
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= PAGE[0], "rules and columns end where the page does"


def test_once_as_json_is_one_object(daemon: Daemon) -> None:
    """--json gives a machine the same picture."""
    done = vetlla("board", "--once", "--json", state_dir=daemon.state_dir)
    picture = json.loads(done.stdout)
    assert picture["status"]["ready"] is True
    assert [one["kind"] for one in picture["alarms"]] == ["smoke"]


def test_without_a_receiver_there_is_no_picture(tmp_path: Path) -> None:
    """--once without a receiver gives status 69, and says what to do."""
    done = vetlla("board", "--once", state_dir=tmp_path)
    assert done.returncode == os.EX_UNAVAILABLE
    assert "--state-dir" in done.stderr


def test_it_continues_after_the_receiver_ends(tmp_path: Path) -> None:
    """A dead receiver is shown as not reachable, and a new one in its place as ready again."""
    with running(tmp_path) as daemon:
        watch = Watch(daemon.state_dir)
        assert watch.picture().ready
        daemon.kill()
        picture = watch.picture()
        assert not picture.ready
        assert "no receiver answers" in picture.trouble
        daemon.start()
        picture = watch.picture()
        assert picture.ready
        assert picture.per_second == (0.0,)
        watch.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_a_pipe_it_prints_lines_until_it_is_stopped(daemon: Daemon, number: signal.Signals) -> None:
    """In a pipe the board is lines of text; Ctrl-C and SIGTERM end it with status 0."""
    command = [VETLLA, "board", "--state-dir", str(daemon.state_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as board:
        assert board.stdout is not None
        first = board.stdout.readline()
        board.send_signal(number)
        _, talk = board.communicate(timeout=PATIENCE_S)
    assert "ready · 1 open alarm ·" in first
    assert (board.returncode, talk) == (0, "")


def test_on_a_terminal_it_is_live_and_restores_the_screen(daemon: Daemon) -> None:
    """The board draws on the alternate screen and gives the terminal back when Ctrl-C ends it."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    command = [VETLLA, "board", "--state-dir", str(daemon.state_dir)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as board:
        os.close(theirs)
        shown = terminal_screen.screen(ours, until=b"store ok")
        board.send_signal(signal.SIGINT)
        shown += terminal_screen.screen(ours)
        assert board.wait(PATIENCE_S) == 0
    os.close(ours)
    assert b"\x1b[?1049h" in shown
    assert shown.index(b"\x1b[?1049h") < shown.index(b"smoke") < shown.rindex(b"\x1b[?1049l")
    assert b"Traceback" not in shown


def test_alarms_of_accounts_on_test_are_counted() -> None:
    """They are listed apart and have no marks: without the count, an alarm that a user raised would be forgotten."""
    shown = drawn(BoardPicture(at=AT, status=STATUS, alarms=[alarm(1)], apart=2), 100, 30)
    assert "1 life  0 home risk  0 technical  2 on test" in shown
    assert "on test" not in drawn(BoardPicture(at=AT, status=STATUS, alarms=[alarm(1)]), 100, 30)
