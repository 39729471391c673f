"""``vetlla reminders simulate-channels``, as a person calls it: with its telephone in the terminal, or as lines."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.rigs.terminal_screen import screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Vetlla

COMMAND = [sys.executable, "-m", "vetlla", "reminders", "simulate-channels"]
PHONE = "+34600000001"
VALUES = ("dimarts 24 de novembre a les 10.30 h", "a l'OMAC", "plaça de la Paeria, 1")


def post(url: str, body: dict[str, Any], **headers: str) -> Any:  # noqa: ANN401 - any JSON
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def remind(url: str, phone: str = PHONE) -> None:
    """Send the installed reminder, as the service does."""
    values = [{"type": "text", "text": one} for one in VALUES]
    template = {
        "name": "cita_recordatori_v1",
        "language": {"code": "ca"},
        "components": [{"type": "body", "parameters": values}],
    }
    body = {"messaging_product": "whatsapp", "to": phone, "type": "template", "template": template}
    post(f"{url}/v26.0/106540352242922/messages", body, Authorization="Bearer simulated-token")


def thread(url: str, phone: str = PHONE) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/simulator/phones/{phone}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["thread"]
        return found


@contextmanager
def calling(*words: str) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    """Run the command, and end it. Yield it with its input and output."""
    with subprocess.Popen([*COMMAND, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process, process.stdin, process.stdout
        finally:
            process.kill()


def url_in(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found[0]


def lines_to(stdout: IO[str], end: str) -> str:
    """Return the output up to a line that has these words."""
    found = ""
    for line in stdout:
        found += line
        if end in line:
            return found
    raise AssertionError(found)


def test_it_describes_itself_and_each_thing_that_happens_is_a_line_until_it_is_told_to_stop() -> None:
    with calling("--json", "--fault", "code=130429", "--fault", "left=1") as (process, _, stdout):
        described = json.loads(stdout.readline())
        url = described["whatsapp"]["url"]
        assert described["whatsapp"]["templates"] == 20
        assert described["sms"]["sender"] == "+34600000099"
        with pytest.raises(urllib.error.HTTPError, match="429"):
            remind(url)
        remind(url)
        told = [json.loads(stdout.readline()) for _ in range(3)]
        assert [one["what"] for one in told] == ["refused", "accepted", "delivered"]
        assert told[0]["detail"].startswith("130429")
        assert told[2]["phone"] == PHONE
        assert "dimarts 24 de novembre a les 10.30 h" in told[2]["text"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_telephone_is_answered_on_through_a_pipe() -> None:
    """What is typed reaches the conversation, and commands change the telephone."""
    with calling("--phone") as (process, stdin, stdout):
        url = url_in(stdout.readline())
        remind(url)
        stdin.write("/wait\n2\nGràcies!\n/react 👍\n/voice\n/sms Per SMS\n/off\nno\n/on\n/clock +2h\n/oops\n/phones\n")
        stdin.flush()
        shown = lines_to(stdout, "* 1  +34600000001")
        assert "The SMS gateway listens at http://127.0.0.1:" in shown
        assert f"You hold the telephone {PHONE}." in shown
        assert "│ [2] Anul·lar la cita" in shown
        for words in ("│ Anul·lar la cita  ", "│ Gràcies!", "│ 👍", "│ (voice message)", "SMS", "│ Per SMS", "is off."):
            assert words in shown.partition("[3] En castellano")[2], words
        assert "The telephone is off. /on switches it on." in shown
        assert "There is no command /oops." in shown
        assert "6 messages, 0 unread" in shown
        assert [one["text"] for one in thread(url)][1:] == ["Anul·lar la cita", "Gràcies!", "👍", "", "Per SMS"]
        stdin.close()
        assert process.wait(timeout=20) == 0


def test_another_telephone_is_taken_up_and_both_keep_their_conversation() -> None:
    with calling("--phone") as (process, stdin, stdout):
        url = url_in(stdout.readline())
        remind(url)
        lines_to(stdout, "En castellano")
        remind(url, "+34600000002")
        assert "for +34600000002: Ajuntament de Lleida." in lines_to(stdout, "/switch +34600000002")
        stdin.write("/switch 2\nSí\n/nowhatsapp\n/phones\n/quit\n")
        stdin.flush()
        assert "│ [3] En castellano" in lines_to(stdout, "2  +34600000002  2 messages, 0 unread, no WhatsApp")
        assert process.wait(timeout=20) == 0


def test_on_a_terminal_the_line_under_way_stays_below_what_comes() -> None:
    """A message that comes while a person types tears no line apart, and keys edit it."""
    master, slave = pty.openpty()
    with subprocess.Popen([*COMMAND, "--phone"], stdin=slave, stdout=slave, start_new_session=True) as process:
        os.close(slave)
        try:
            url = url_in(screen(master, until=b"/help lists the commands").decode())
            os.write(master, "Sí, vindr\x7fè".encode())
            screen(master, until="> Sí, vindè".encode())
            remind(url)
            assert b"\r\x1b[2K" in screen(master, until="+34600000001> Sí, vindè".encode())
            os.write(master, "\x1b[D\x15Sí\n".encode())
            screen(master, until=" Sí   ".encode())
            os.write(master, b"\x04")
            screen(master)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
            os.close(master)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--phone --json", "--json is for programs"),
        ("--fault no_such=1", "faults are: code, told,"),
        ("--sms-fault held=true", "--sms-fault held"),
    ],
)
def test_a_mistake_of_the_call_is_told(vetlla: Vetlla, words: str, told: str) -> None:
    done = vetlla("reminders", "simulate-channels", *words.split())
    assert done.status == 64
    assert told in done.error
