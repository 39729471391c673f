"""The daemon's log, written by real processes into real pipes and terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.daemon.logs.setup import redact, shortened
from vetlla.daemon.logs.writer import LogWriter
from vetlla.domain.signals import AccountId

if TYPE_CHECKING:
    from pathlib import Path

PROLOGUE = """
import logging, os, warnings
import structlog
from vetlla.daemon.logs.setup import configure
from vetlla.settings.log import LogFormat, LogLevel
log = structlog.get_logger()
"""


def _stderr_of(script: str, **environment: str) -> list[str]:
    """Run a script that logs; return the lines on its standard error, a pipe."""
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def _events(script: str, **environment: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _stderr_of(script, **environment)]


def test_in_a_pipe_lines_are_json_with_utc_time() -> None:
    """One event, one line, with level, time and every key; nothing below the level."""
    (event,) = _events(
        """
configure()
log.debug("frame.parsed")
log.warning("frame.rejected", peer="192.0.2.7:4000", reason="bad_checksum", raw=b"123")
"""
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event.pop("timestamp"))
    assert event == {
        "event": "frame.rejected",
        "level": "warning",
        "peer": "192.0.2.7:4000",
        "reason": "bad_checksum",
        "raw": "[3]",
    }


def test_accounts_are_full_only_at_debug_level() -> None:
    """Even at debug level, only debug events have the whole account; events of a higher level shorten it."""
    debug, info = _events(
        """
configure(level=LogLevel.DEBUG)
log.debug("signal", account="123456", raw=b"\\x01\\x02")
log.info("signal", account="123456", raw=b"\\x01\\x02")
"""
    )
    assert (debug["account"], debug["raw"]) == ("123456", "0102")
    assert (info["account"], info["raw"]) == ("..56", "[2]")


def test_libraries_speak_through_the_same_log() -> None:
    """A record of logging, its traceback and a warning become events like those of the receiver."""
    record, failure, warning = _events(
        """
configure()
logging.getLogger("aiohttp.server").info("took %d", 3)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("asyncio").exception("lost")
warnings.warn("old", stacklevel=1)
"""
    )
    assert (record["event"], record["logger"], record["level"]) == ("took 3", "aiohttp.server", "info")
    assert failure["level"] == "error"
    assert "ZeroDivisionError: division by zero" in failure["exception"]
    assert (warning["logger"], warning["level"]) == ("py.warnings", "warning")


def test_an_odd_level_of_a_library_counts_as_the_one_below() -> None:
    """A record of level 45 is an error, and one of level 5 is debug."""
    assert [event["level"] for event in _events('configure(); logging.getLogger("x").log(45, "odd")')] == ["error"]
    debug = _events('configure(level=LogLevel.DEBUG); logging.root.setLevel(1); logging.getLogger("x").log(5, "odd")')
    assert [event["level"] for event in debug] == ["debug"]


def test_on_a_terminal_lines_are_for_a_person() -> None:
    """A terminal gets colours and words, not JSON."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", PROLOGUE + 'configure(); log.info("receiver.ready", port=9000)'],
        stderr=theirs,
        check=True,
        timeout=30,
    )
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert re.fullmatch(r"\S+Z \[info\s*\] receiver\.ready\s+port=9000\r\n", plain)


def test_a_traceback_shows_no_local_variables() -> None:
    """Neither style prints the variables of a failing function, because keys may be among them."""
    script = """
configure(style=LogFormat.{style})
def decrypt(secret): raise ValueError("no")
try:
    decrypt("-".join(["hunter2", "local"]))
except ValueError:
    log.exception("failed")
"""
    for style in ("JSON", "CONSOLE"):
        text = "\n".join(_stderr_of(script.format(style=style)))
        assert "ValueError: no" in text
        assert "hunter2-local" not in text


def test_under_the_journal_lines_carry_their_severity(tmp_path: Path) -> None:
    """Every line, also of a traceback, begins as sd-daemon(3) demands; lines for a person have no time of their own."""
    script = """
import sys
status = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
configure(style=LogFormat(sys.argv[1]))
log.warning("disk.low", free=1)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""

    def journal(style: str) -> list[str]:
        with (tmp_path / style).open("w+b") as stream:
            command = [sys.executable, "-c", PROLOGUE + script, style]
            subprocess.run(command, stderr=stream, check=True, timeout=30)
            stream.seek(0)
            return stream.read().decode().splitlines()

    warning, *failure = journal("console")
    assert warning.startswith("<4>[warning")
    assert len(failure) > 1
    assert all(line.startswith("<3>") for line in failure)
    assert [line[:3] for line in journal("json")] == ["<4>", "<3>"]
    assert "timestamp" in json.loads(journal("json")[0][3:])


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("key", "00112233445566778899aabbccddeeff", "[redacted]"),
        ("secret", b"x", "[redacted]"),
        ("api_token", "x", "[redacted]"),
        ("password", None, "[redacted]"),
        ("key_name", "home-12", "home-12"),
        ("keys", 3, 3),
        ("account", "123456", "..56"),
        ("account", "56", ".."),
        ("account", AccountId("1", "2", "ABCD99"), "..99"),
        ("caller", AccountId("1", "2", "ABCD99"), "..99"),
        ("home", "H-00042", "..42"),
        ("text", "Sra. Exemple, porta 2", "[21]"),
        ("position", (41.0, 2.0), "[withheld]"),
        ("alarm", 12, 12),
        ("peer", "192.0.2.7:4000", "192.0.2.7:4000"),
        ("peer", "[2001:db8::7]:4000", "[2001:db8::7]:4000"),
        ("peer", "north/T-000042", "north/..42"),
        ("peer", "north/?", "north/.."),
    ],
)
def test_redaction(field: str, value: object, written: object) -> None:
    """At info level secrets are removed, callers are shortened, and personal data is replaced by its size."""
    assert redact(None, "info", {"event": "e", field: value}) == {"event": "e", field: written}


def test_an_exception_that_a_peer_caused_shows_its_place_and_not_the_peers_bytes() -> None:
    """A decoder's ValueError may quote the bytes that it could not read, such as an account or a text."""
    events = _events(
        """
configure()
try:
    int("Sra. Exemple")
except ValueError:
    log.exception("decoder.failed", peer="north/T-000042")
"""
    )
    (event,) = events
    assert event["peer"] == "north/..42"
    assert event["exception"].splitlines()[-1] == "ValueError"
    assert "line" in event["exception"]
    assert "Exemple" not in event["exception"].replace('int("Sra. Exemple")', "")


@pytest.mark.parametrize("style", ["JSON", "CONSOLE"])
def test_a_log_moves_no_cursor(style: str) -> None:
    """Bytes of a stranger are only a value in a line: they make no new line, and no command to a terminal."""
    (line,) = _stderr_of(
        f"""
configure(style=LogFormat.{style})
log.warning("frame.rejected", why="\\x1b]0;owned\\x07\\x9b2J\\u202e", also="\\nalarm 7: closed", name="x" * 16_000)
"""
    )
    assert line.isprintable()
    assert "owned" in line


@pytest.mark.parametrize("level", ["debug", "info", "error", "critical"])
def test_secrets_are_written_at_no_level(level: str) -> None:
    """A key is not written even at debug level."""
    assert redact(None, level, {"event": "e", "key": "00"})["key"] == "[redacted]"


def test_shortened_never_shows_a_whole_account() -> None:
    """No account is written whole, however short it is."""
    for account in ("", "1", "12", "123", "1234567890ABCDEF"):
        assert account == "" or account not in shortened(account)


def _read_all(fd: int) -> bytes:
    data = b""
    while chunk := os.read(fd, 65536):
        data += chunk
    return data


def test_a_reader_that_stopped_does_not_block_the_program() -> None:
    """If no program reads the pipe, writing still returns at once, dropped lines are counted, and the order is kept."""
    reading, writing = os.pipe()
    writer = LogWriter(writing, capacity=100)
    line = "x" * 1000
    for number in range(5000):
        writer.info(f"{number:04} {line}")
    writer.close(timeout_s=0.01)  # does not wait longer for the reader
    os.set_blocking(reading, False)
    written = []
    while True:
        try:
            written += os.read(reading, 1 << 20).decode().splitlines()
        except BlockingIOError:
            if not writer._thread.is_alive():
                break
            writer._thread.join(0.01)
    os.close(reading)
    os.close(writing)
    numbers = [int(text[:4]) for text in written if text[:4].isdigit() and len(text) > 4]
    assert numbers == sorted(numbers)
    assert 100 <= len(numbers) < 5000
    assert writer.missing() == 5000 - len(numbers)


def test_missing_lines_are_reported_once_there_is_room() -> None:
    """The gap is counted exactly and reported once."""
    reading, writing = os.pipe()
    writer = LogWriter(writing, capacity=0)  # no room at all: every line is dropped
    for _ in range(7):
        writer.info("lost")
    writer._capacity = 10
    assert (writer.missing(), writer.missing()) == (7, 0)
    writer.close()
    os.close(writing)
    assert _read_all(reading) == b""
    os.close(reading)


def test_the_gap_is_an_event_field() -> None:
    """The first event after a gap says how many lines are missing before it."""
    events = _events(
        """
writer = configure()
writer._capacity = 0
log.info("lost"); log.info("lost")
writer._capacity = 10
log.info("first"); log.info("second")
"""
    )
    assert [(event["event"], event.get("lines_missing")) for event in events] == [("first", 2), ("second", None)]


def test_a_closed_pipe_is_no_reason_to_stop() -> None:
    """When the log's reader is gone, the process continues and ends normally."""
    script = """
import time
r, w = os.pipe(); os.dup2(w, 2); os.close(r); os.close(w)
writer = configure()
for n in range(1000): log.info("n", n=n)
writer.close()
print("alive")
"""
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "alive\n"


def test_lines_survive_an_end_without_close() -> None:
    """The last lines are written even if the program did not close the writer."""
    assert len(_stderr_of('configure()\nfor n in range(1000): log.info("n", n=n)')) == 1000
