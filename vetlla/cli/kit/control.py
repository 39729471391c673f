"""The command line's end of the control socket."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from vetlla.domain import access
from vetlla.domain.errors import AccessError, ConfigError, LinkError, StoreError, UsageError, VetllaError
from vetlla.receiver.control.server import CONTROL_SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ANSWER_S = 10.0
"""How long an answer may take: longer than a commit on a slow disk."""

_FAMILIES: dict[str, type[VetllaError]] = {
    "usage": UsageError,
    "store": StoreError,
    "link": LinkError,
    "config": ConfigError,
    "access": AccessError,
}


def ask(state_dir: Path, do: str, /, *, timeout_s: float = ANSWER_S, **arguments: object) -> Any:  # noqa: ANN401
    """Return the running receiver's JSON answer. Raises LinkError if no receiver runs, else the answer's error."""
    try:
        with _asked(state_dir, timeout_s, {"do": do, **arguments}) as lines:
            line = lines.readline()
    except TimeoutError as error:
        raise LinkError(
            f"the receiver did not answer within {timeout_s:.0f} s", remedy="its log says what it waits for"
        ) from error
    except OSError as error:
        raise _hung_up() from error
    return _result(line)


def follow(state_dir: Path, do: str, /, **arguments: object) -> Iterator[dict[str, Any]]:
    """Yield events of the running receiver until it ends their stream. Raises LinkError if no receiver runs."""
    try:
        with _asked(state_dir, None, {"do": do, **arguments}) as lines:
            for line in lines:
                event = json.loads(line)
                if "ok" in event:
                    _result(line)
                yield event
    except OSError as error:
        raise _hung_up() from error


@contextmanager
def _asked(state_dir: Path, timeout_s: float | None, request: Mapping[str, object]) -> Iterator[TextIO]:
    with _connect(state_dir, timeout_s) as connection:
        connection.sendall(json.dumps(request, ensure_ascii=False).encode() + b"\n")
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
        raise access.refusal(path, error.strerror) from error
    except OSError as error:
        connection.close()
        raise LinkError(
            f"no receiver answers at {path}: {error.strerror or error}",
            remedy="start it (systemctl start vetlla), or name its state directory with --state-dir",
        ) from error
    return connection


def _result(line: str) -> Any:  # noqa: ANN401
    if not line.endswith("\n"):
        raise _hung_up()
    answer = json.loads(line)
    if not answer["ok"]:
        raise _FAMILIES[answer["family"]](answer["error"], remedy=answer["remedy"])
    return answer["result"]


def _hung_up() -> LinkError:
    return LinkError("the receiver closed the connection without an answer", remedy="its log says why")
