"""The command line's end of the control socket, with good and bad servers at the other end."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.cli.kit.control import ask, follow
from vetlla.domain.errors import ConfigError, LinkError, StoreError, UsageError, VetllaError
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.messages.queue import ListAlarms, NoteAlarm
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.receiver.control.messages.watch import WatchQueue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 20.0


class Receiver:
    """A server that answers one caller with prepared bytes."""

    def __init__(self, directory: Path, answer: bytes, *, hold: bool) -> None:
        self.heard = b""
        self._answer = answer
        self._hold = threading.Event()
        if not hold:
            self._hold.set()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(directory / CONTROL_SOCKET))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def asked(self) -> dict[str, Any]:
        """Return the request that came."""
        request: dict[str, Any] = json.loads(self.heard)
        return request

    def _serve(self) -> None:
        caller, _ = self._listening.accept()
        with caller:
            while not self.heard.endswith(b"\n") and (data := caller.recv(4096)):
                self.heard += data
            caller.sendall(self._answer)
            self._hold.wait(PATIENCE_S)

    def close(self) -> None:
        """Close the connection."""
        self._hold.set()
        self._thread.join(PATIENCE_S)
        self._listening.close()


@contextmanager
def answering(directory: Path, answer: bytes, *, hold: bool = False) -> Iterator[Receiver]:
    receiver = Receiver(directory, answer, hold=hold)
    try:
        yield receiver
    finally:
        receiver.close()


def test_a_request_is_one_line_and_so_is_the_answer(tmp_path: Path) -> None:
    """The request arrives with its arguments, and the answer is returned."""
    with answering(tmp_path, b'{"ok": true, "result": {"id": 7}}\n') as receiver:
        assert ask(tmp_path, NoteAlarm(alarm=7, text="línia\nnova"))["id"] == 7
    assert receiver.asked == {"do": "queue.note", "alarm": 7, "text": "línia\nnova"}
    assert receiver.heard.count(b"\n") == 1


@pytest.mark.parametrize(
    ("family", "kind"),
    [("usage", UsageError), ("store", StoreError), ("link", LinkError), ("config", ConfigError)],
)
def test_an_error_of_the_receiver_is_raised_here(tmp_path: Path, family: str, kind: type[VetllaError]) -> None:
    """Its family decides the exit status; message and remedy are the receiver's."""
    answer = json.dumps({"ok": False, "family": family, "error": "it cannot", "remedy": "wait"}).encode()
    with answering(tmp_path, answer + b"\n"), pytest.raises(kind) as raised:
        ask(tmp_path, ListAlarms())
    assert (raised.value.args[0], raised.value.remedy) == ("it cannot", "wait")


@pytest.mark.parametrize("answer", [b"", b'{"ok": true, "resu'])
def test_a_receiver_that_hangs_up_is_reported(tmp_path: Path, answer: bytes) -> None:
    """No answer and half an answer give a LinkError and not another Python error."""
    with answering(tmp_path, answer), pytest.raises(LinkError, match="closed the connection"):
        ask(tmp_path, ShowStatus())


def test_a_receiver_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    """The command does not wait for ever."""
    with answering(tmp_path, b"", hold=True), pytest.raises(LinkError, match="did not answer within"):
        ask(tmp_path, ShowStatus(), timeout_s=0.05)


def test_no_receiver_is_reported_with_the_place(tmp_path: Path) -> None:
    """The message has the path of the missing socket."""
    with pytest.raises(LinkError, match=str(tmp_path)):
        ask(tmp_path, ShowStatus())
    with pytest.raises(LinkError, match=str(tmp_path)):
        list(follow(tmp_path, WatchQueue()))


def test_a_stream_ends_with_its_receiver(tmp_path: Path) -> None:
    """Each event is one line, and the events end with the stream."""
    with answering(tmp_path, b'{"event": "open"}\n{"event": "closed"}\n') as receiver:
        assert [event["event"] for event in follow(tmp_path, WatchQueue())] == ["open", "closed"]
    assert receiver.asked == {"do": "watch"}


def test_a_stream_that_is_refused_is_an_error(tmp_path: Path) -> None:
    """A user who may not watch gets an error with the reason."""
    answer = b'{"ok": false, "family": "usage", "error": "carla is not an operator", "remedy": "ask"}\n'
    with answering(tmp_path, answer), pytest.raises(UsageError, match="not an operator"):
        list(follow(tmp_path, WatchQueue()))
