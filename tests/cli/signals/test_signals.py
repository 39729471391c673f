"""``vetlla signals`` shows what homes reported, for people and machines, and as it comes in."""

from __future__ import annotations

import csv
import io
import json
import os
import select
import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon
from tests.rigs.journals import journal, report, write_a_story
from tests.rigs.terminal import Terminal
from vetlla.domain.clock import SECOND_US, ManualClock, to_datetime
from vetlla.domain.signals import AccountId, Event, Flag, Kind, Phase, Position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FALL = Event(Kind.FALL, Phase.NEW, "120", "ADM-CID")
DECODE_KEYS = [
    "item", "protocol", "account", "event", "device", "occurred_at", "position", "text", "reason", "raw",
]  # fmt: skip
STAMPS = ["established", "received", "committed", "ready", "answered", "closed"]


@pytest.fixture
def story(state_dir: Path) -> Path:
    """Write sixty signals: an alarm from call to close, tests of home H-0002 each second, and another alarm."""
    write_a_story(state_dir)
    return state_dir


def numbers(lines: list[dict[str, Any]]) -> list[int]:
    return [line["id"] for line in lines]


# --- list -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("story")
def test_the_newest_are_listed_newest_last(vetlla: Vetlla) -> None:
    """People get a table of the wanted length, with times and their zone."""
    lines = vetlla("signals", "list", "--limit", 2).out.splitlines()

    assert lines[0].split() == ["id", "received", "account", "home", "event", "priority"], "what is empty has no column"
    assert lines[1].split() == [
        "59", "2026-01-01", "01:02:03", "CET", "0009", "H-0002", "periodic_test", "602", "ROUTINE",
    ]  # fmt: skip
    assert lines[2].split()[0] == "60"
    assert len(vetlla("signals", "list").out.splitlines()) == 51


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--alarm", 1], [1]),
        (["--kind", "personal_emergency"], [1, 60]),
        (["--priority", "life"], [1, 60]),
        (["--priority", "LIFE", "--priority", "ROUTINE", "--limit", 3], [58, 59, 60]),
        (["--code", "101"], [1, 60]),
        (["--account", "0005", "--limit", 2], [45, 55]),
        (["--account", "0005", "--account", "0006", "--limit", 3], [46, 55, 56]),
        (["--home", "H-0001"], []),
        (["--since", "2026-01-01T01:02", "--until", "2026-01-01T01:02:02"], [56, 57]),
        (["--utc", "--since", "2026-01-01T00:02", "--until", "2026-01-01T00:02:02"], [56, 57]),
        (["--since", "2026-01-01T01:02:03+01:00"], [59, 60]),
        (["--since", "1h"], []),
        (["--until", "2026-01-01"], []),
        (["--until", "2026-01-01 01:00:00 CET"], []),
    ],
)
def test_signals_are_found(vetlla: Vetlla, options: list[object], expected: list[int]) -> None:
    """Signals are found by alarm, kind, priority, code, account, home and time."""
    assert numbers(vetlla("signals", "list", "--json", *options).json) == expected


@pytest.mark.usefixtures("story")
def test_a_home_is_found_by_the_accounts_it_has_or_had(vetlla: Vetlla, state_dir: Path) -> None:
    """Signals of accounts that were moved are found, too; an unregistered caller is its own home."""
    vetlla("accounts", "set", "0002", "--home", "H-0002")
    vetlla("accounts", "set", "0003", "--home", "H-0002")
    vetlla("accounts", "set", "0003", "--home", "H-0009")
    with journal(state_dir) as scribe:
        scribe.commit(report(61, id=AccountId("1", "2", "ABCD")), home="1/2/ABCD")

    assert numbers(vetlla("signals", "list", "--home", "H-0002", "--json").json) == [
        number for number in range(2, 60) if number % 10 in (2, 3)
    ]
    assert numbers(vetlla("signals", "list", "--home", "H-0002", "--account", "0003", "--json").json) == [
        number for number in range(2, 60) if number % 10 == 3
    ]
    assert vetlla("signals", "list", "--home", "H-0009").out == ""
    assert numbers(vetlla("signals", "list", "--home", "1/2/ABCD", "--json").json) == [61]


@pytest.mark.usefixtures("story")
def test_a_search_without_a_result_prints_nothing(vetlla: Vetlla) -> None:
    """The command prints nothing, with status 0."""
    done = vetlla("signals", "list", "--account", "none")
    assert (done.status, done.out, done.talk) == (0, "", "")


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "yesterday"], "'yesterday' is not a time"),
        (["--since", "10y"], "'10y' is not a time"),
        (["--until", "2026-13-01"], "'2026-13-01' is not a time"),
        (["--since", "1h", "--until", "2h"], "--since 1h is not before --until 2h"),
        (["--priority", "urgent"], "'urgent' is not a priority"),
    ],
)
def test_wrong_arguments_are_reported(vetlla: Vetlla, options: list[object], message: str) -> None:
    """The error shows the right forms."""
    done = vetlla("signals", "list", *options)
    assert done.status == os.EX_USAGE
    assert message in done.error
    assert "->" in done.error


def test_without_a_journal_it_says_what_to_do(vetlla: Vetlla) -> None:
    """The receiver has never run, or the directory is wrong."""
    for command in ("list", "tail", "export"):
        done = vetlla("signals", command)
        assert done.status == os.EX_IOERR
        assert "there is no journal" in done.error
        assert "--state-dir" in done.error


# --- show -------------------------------------------------------------------------------------------------------------


def tell_everything(state_dir: Path) -> None:
    clock = ManualClock()
    with journal(state_dir, clock) as scribe:
        said: dict[str, Any] = {
            "id": AccountId("1", "L0", "0001"),
            "event": FALL,
            "raw": b"\n\x1b[31mred\xff\r" + bytes(range(20)),
            "device": "007",
            "text": "bath \x1b[2J[bold]room[/]\nfloor",
            "occurred_at": to_datetime(clock.now().utc_us),
            "position": Position(latitude=41.5, longitude=-2.25, source="gps"),
            "measurements": {"battery": 80.0},
            "details": {"verification": "https://example.invalid/1"},
            "sealed_with": "north",
            "buffered": True,
            "sequence": "0042",
            "part": 1,
            "parts": 2,
        }
        batch = scribe.signals([report(1, **said)], home="H-0001", flags=Flag.UNKNOWN_ACCOUNT | Flag.BUFFERED)
        batch.duplicates[1] = (2, *clock.now(), "udp", "192.0.2.9:5")
        scribe.write(batch)
        scribe.flush()


def test_everything_about_a_signal_is_shown(vetlla: Vetlla, state_dir: Path) -> None:
    """The sheet has the fields, the path, the stamps and the bytes in hex and text; nothing in it moves the cursor."""
    tell_everything(state_dir)
    out = vetlla("signals", "show", 1).out

    for part in (
        "fall (new), ADM-CID 120", "0001, receiver 1, line L0", "H-0001", "007", r"bath \x1b[2J[bold]room[/]\nfloor",
        "2026-01-01 01:00:00 CET by the device's clock", "41.5, -2.25 gps", "battery       80",
        "https://example.invalid/1", "0042", "north", "dc09 over tcp from 192.0.2.7:40000",
        "part 1 of 2, came 3 times, unknown account, kept back by the device",
        "established   2026-01-01 00:59:59.999 CET", "committed     2026-01-01 01:00:00.000 CET", "t2 0.001 s",
        "came again    2 times, last 2026-01-01 01:00:00.000 CET by udp from 192.0.2.9:5",
        "Raw, 31 bytes", "0000  0a 1b 5b 33 31 6d 72 65 64 ff 0d 00", ".[31mred...",
    ):  # fmt: skip
        assert part in out
    assert "\x1b" not in out
    assert "Alarm" not in out


def test_an_old_report_is_shown_with_its_age(vetlla: Vetlla, state_dir: Path) -> None:
    """A person must not take what the device kept back for hours for something new."""
    clock = ManualClock()
    with journal(state_dir, clock) as scribe:
        then = to_datetime(clock.now().utc_us - 18_000 * SECOND_US)
        scribe.commit(report(1, occurred_at=then))
    out = vetlla("signals", "show", 1).out
    assert "by the device's clock: happened 5 h 0 min before it came" in out


@pytest.mark.usefixtures("story")
def test_its_alarm_is_shown_with_it(vetlla: Vetlla) -> None:
    """The sheet says how the alarm ended, who handled it and what they noted."""
    out = vetlla("signals", "show", 1).out
    for part in (
        "Alarm 1",
        "closed (handled_by_voice)",
        "operator      maria",
        "maria: speaking",
        "answered      2026-",
    ):
        assert part in out

    (fields,) = vetlla("signals", "show", 1, "--json").json
    assert fields["alarm_detail"]["outcome"] == "handled_by_voice"
    assert fields["alarm_detail"]["notes"] == [
        {"at": "2026-01-01T00:00:05.000000Z", "operator": "maria", "text": "speaking"}
    ]
    assert fields["last_duplicate"] is None
    assert fields["answered"] == "2026-01-01T00:00:05.000000Z"


@pytest.mark.usefixtures("story")
def test_a_signal_that_is_not_there(vetlla: Vetlla) -> None:
    """The error says how to find an existing one."""
    done = vetlla("signals", "show", 61)
    assert (done.status, "there is no signal 61" in done.error) == (os.EX_USAGE, True)


# --- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("story")
def test_an_export_is_whole_and_oldest_first(vetlla: Vetlla) -> None:
    """It has every signal once, the fields of ``decode`` first and the stamps last; --json changes nothing."""
    lines = vetlla("signals", "export").json

    assert numbers(lines) == list(range(1, 61))
    for line in lines:
        assert list(line)[: len(DECODE_KEYS)] == DECODE_KEYS
        assert list(line)[-len(STAMPS) - 2 :] == [*STAMPS, "t2_s", "t3_s"]
    assert lines == vetlla("signals", "export", "--json").json
    assert lines[2]["duplicates"] == 2
    assert lines[0] | {"last_duplicate": None, "alarm_detail": None} == (
        vetlla("signals", "show", 1, "--json").json[0] | {"alarm_detail": None}
    )
    assert numbers(vetlla("signals", "export", "--kind", "personal_emergency").json) == [1, 60]


def test_csv_is_a_table_without_formulas(vetlla: Vetlla, state_dir: Path) -> None:
    """Nested fields have columns of their own, text that a spreadsheet would compute stays text, and JSON is exact."""
    formula = "=HYPERLINK(0)"
    with journal(state_dir) as scribe:
        scribe.commit(
            report(1, text=formula, details={"a": "b"}, position=Position(latitude=-1.5, longitude=2.0)),
            report(2, text='quote " comma , line\nbreak', device="-007"),
        )
    first, second = csv.DictReader(io.StringIO(vetlla("signals", "export", "--csv").out))

    assert first["text"] == f"'{formula}"
    assert (first["position_latitude"], first["position_longitude"]) == ("-1.5", "2.0")
    assert json.loads(first["details"]) == {"a": "b"}
    assert (first["event_kind"], first["buffered"], first["committed"]) == ("personal_emergency", "false", "")
    assert second["text"] == 'quote " comma , line\nbreak'
    assert (second["device"], second["position_latitude"], second["details"]) == ("'-007", "", "")
    assert vetlla("signals", "export", "--json").json[0]["text"] == formula


@pytest.mark.usefixtures("story")
def test_one_form_at_a_time(vetlla: Vetlla) -> None:
    """--csv and --json together are an error."""
    assert vetlla("signals", "export", "--csv", "--json").status == os.EX_USAGE


@pytest.mark.usefixtures("story")
def test_a_reader_that_has_enough_ends_an_export_quietly(state_dir: Path) -> None:
    """``vetlla signals export | head -1`` ends without an error."""
    line = f"{VETLLA} signals export --state-dir {state_dir} | head -1 | wc -l"
    done = subprocess.run(["/bin/sh", "-c", line], check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


# --- tail -------------------------------------------------------------------------------------------------------------


@contextmanager
def following(state_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``vetlla signals tail -f`` as a person does, and end it after the test."""
    child = subprocess.Popen(
        [VETLLA, "signals", "tail", "-f", "--state-dir", str(state_dir), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def line_of(child: subprocess.Popen[str], stream: str = "stdout") -> str:
    pipe = getattr(child, stream)
    assert select.select([pipe], [], [], PATIENCE_S)[0], "nothing came"
    text: str = pipe.readline()
    return text


@pytest.mark.usefixtures("story")
def test_the_tail_begins_with_the_newest(vetlla: Vetlla) -> None:
    """It prints the wanted number of lines, without waiting for more."""
    assert [line.split()[0] for line in vetlla("signals", "tail").out.splitlines()] == [str(n) for n in range(51, 61)]
    assert vetlla("signals", "tail", "-n", 0).out == ""
    assert numbers(vetlla("signals", "tail", "-n", 3, "--json").json) == [58, 59, 60]
    assert numbers(vetlla("signals", "tail", "-n", 3, "--json", "--kind", "periodic_test").json) == [57, 58, 59]


@pytest.mark.usefixtures("story")
def test_the_tail_continues_through_restarts_of_the_receiver(state_dir: Path) -> None:
    """Each committed signal appears, also after the receiver stops and another one starts; Ctrl-C ends it."""
    with following(state_dir, "-n", "1", "--json") as tail:
        assert json.loads(line_of(tail))["id"] == 60
        for number in (61, 62):
            with journal(state_dir) as scribe:
                scribe.commit(report(number))
                assert json.loads(line_of(tail))["id"] == number
        tail.send_signal(signal.SIGINT)
        assert tail.wait(PATIENCE_S) == 0


@pytest.mark.usefixtures("story")
def test_the_tail_shows_only_what_was_asked_for(state_dir: Path) -> None:
    """Other signals are not shown, also while it follows."""
    with following(state_dir, "-n", "1", "--code", "101", "--json") as tail, journal(state_dir) as scribe:
        assert json.loads(line_of(tail))["id"] == 60
        scribe.commit(report(61, event=FALL), report(62), report(63, event=FALL))
        assert json.loads(line_of(tail))["id"] == 62


@pytest.mark.usefixtures("story")
def test_the_tail_continues_after_a_restore(state_dir: Path, tmp_path: Path) -> None:
    """In a restored journal numbers start again; the command says so, and shows the new signals."""
    with journal(tmp_path / "older") as scribe:
        scribe.commit(report(1))
    with following(state_dir, "-n", "1", "--json") as tail:
        assert json.loads(line_of(tail))["id"] == 60
        shutil.copy(tmp_path / "older" / "journal.db", state_dir / "new")
        (state_dir / "new").rename(state_dir / "journal.db")
        assert "the journal was replaced: it ends with signal 1 now" in line_of(tail, "stderr")
        with journal(state_dir) as scribe:
            scribe.commit(report(2))
            assert json.loads(line_of(tail))["id"] == 2


# --- beside a real receiver -------------------------------------------------------------------------------------------


def test_an_export_has_the_fields_that_decode_prints(tmp_path: Path) -> None:
    """The export of a received signal has the same fields as ``vetlla decode --json`` of its bytes."""
    daemon = Daemon(tmp_path)
    try:
        daemon.start()
        with Terminal(daemon.port) as home:
            frames = [home.frame("1101", zone=3), home.build("SIA-DCS", "0009", b"#1234|Nri1/BA12*'hall'NM][I2ndfloor")]
            assert [home.say(frame) for frame in frames] == ["ACK", "ACK"]
        exported = run("signals", "export", "--state-dir", daemon.state_dir)
        for frame, stored in zip(frames, exported, strict=True):
            (decoded,) = run("decode", "dc09", "--json", stdin=frame.hex())
            assert list(stored)[: len(decoded)] == list(decoded)
            assert {key: stored[key] for key in decoded} == decoded
            assert stored["raw"] == frame.removesuffix(b"\r").hex()
            assert stored["committed"] >= stored["received"] >= stored["established"]
            assert 0 < stored["t2_s"] < PATIENCE_S
        assert numbers(run("signals", "list", "--json", "--since", "10m", "--state-dir", daemon.state_dir)) == [1, 2]
    finally:
        daemon.close()


def run(*arguments: object, stdin: str = "") -> list[dict[str, Any]]:
    done = subprocess.run(
        [VETLLA, *map(str, arguments)], check=True, capture_output=True, text=True, input=stdin, timeout=PATIENCE_S
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
