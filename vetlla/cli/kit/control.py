"""The command line's end of the control socket."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeVar, cast

from vetlla.domain import permissions
from vetlla.domain.errors import LinkError
from vetlla.receiver.control.messages.base import CONTROL_SOCKET, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.receiver.control.messages.base import Failure, Message, Request, Stream, Success

_A = TypeVar("_A")
_E = TypeVar("_E")

ANSWER_S = 10.0
"""How long an answer may take: longer than a commit on a slow disk."""


def ask(state_dir: Path, request: Request[_A], *, timeout_s: float = ANSWER_S) -> _A:
    """Return the running receiver's answer. Raises LinkError if no receiver runs, else the answer's error.

    The answer is not checked: a receiver that was not restarted since an upgrade may send fewer fields.
    """
    try:
        with _asked(state_dir, timeout_s, request) as lines:
            line = lines.readline()
    except TimeoutError as error:
        raise LinkError(
            f"the receiver did not answer within {timeout_s:.0f} s", remedy="its log says what it waits for"
        ) from error
    except OSError as error:
        raise _hung_up() from error
    return cast("_A", _result(line))


def follow(state_dir: Path, request: Stream[_E]) -> Iterator[_E]:
    """Yield events of the running receiver until it ends their stream. Raises LinkError if no receiver runs."""
    try:
        with _asked(state_dir, None, request) as lines:
            for line in lines:
                event = json.loads(line)
                if "ok" in event:
                    _result(line)
                yield event
    except OSError as error:
        raise _hung_up() from error


@contextmanager
def _asked(state_dir: Path, timeout_s: float | None, request: Message) -> Iterator[TextIO]:
    with _connect(state_dir, timeout_s) as connection:
        connection.sendall(json.dumps(request.on_the_wire(), ensure_ascii=False).encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as lines:
            yield lines


def _connect(state_dir: Path, timeout_s: float | None) -> socket.socket:
    path = state_dir / CONTROL_SOCKET
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(path))
    except PermissionError as error:
        connection.close()
        raise permissions.refusal(path, error.strerror) from error
    except OSError as error:
        connection.close()
        raise LinkError(
            f"no receiver answers at {path}: {error.strerror or error}",
            remedy="start it (systemctl start vetlla), or name its state directory with --state-dir",
        ) from error
    return connection


def _result(line: str) -> object:
    if not line.endswith("\n"):
        raise _hung_up()
    answer: Success | Failure = json.loads(line)
    if not answer["ok"]:
        raise error_of(answer)
    return answer["result"]


def _hung_up() -> LinkError:
    return LinkError("the receiver closed the connection without an answer", remedy="its log says why")
