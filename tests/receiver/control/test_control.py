"""The control socket: roles, requests and answers, over a real socket."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.controls import ME, SayWho, doors, say_who
from tests.rigs.core import signal, until
from tests.rigs.loops import each_loop
from vetlla.domain.errors import ConfigError
from vetlla.receiver.control import server as control
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.server import LINE_MAX, Control
from vetlla.settings.surfaces import ControlSettings

if TYPE_CHECKING:
    from pathlib import Path


COUPLES = [(ME, ME), *([("daemon", "nobody")] if os.geteuid() == 0 else [])]
"""Users who claim at the same time: two commands of one user, and two users if the tests run as root."""


# --- asking -----------------------------------------------------------------------------------------------------------


@each_loop
@pytest.mark.parametrize("couple", COUPLES)
async def test_exactly_one_of_two_clients_that_claim_at_once_gets_the_alarm(
    public_dir: Path, couple: tuple[str, str]
) -> None:
    """In whatever order the kernel delivers the requests, one gets the alarm and the other is refused.

    One operator with two commands also gets one alarm; the second answer says that they already hold it.
    """
    async with doors(public_dir, mode=0o666) as opened:
        clients = [await opened.client(name) for name in couple]
        for number in range(1, 9):
            await opened.core.submit(signal(str(number)))
            answers = await asyncio.gather(*[client.ask("queue.claim") for client in clients])
            (won,) = [answer["result"] for answer in answers if answer["ok"] and not answer["result"]["detail"]]
            (lost,) = [answer for answer in answers if answer.get("result") != won]
            assert (won["id"], won["state"]) == (number, "claimed")
            assert won["operator"] in couple
            if couple[0] == couple[1]:
                assert (lost["result"]["id"], lost["result"]["detail"]) == (number, {"held": True})
            else:
                assert (lost["family"], lost["error"]) == ("usage", "nothing is waiting")
            (alarm,) = [alarm for alarm in await opened.core.open_alarms() if alarm["id"] == number]
            assert alarm["operator"] == won["operator"]
            assert (await clients[couple.index(won["operator"])].ask("queue.answer", alarm=number))["ok"]


@each_loop
async def test_many_requests_per_connection_and_each_is_answered(tmp_path: Path) -> None:
    """A caller may stay connected; a wrong request does not end the connection."""
    async with doors(tmp_path) as opened:
        await opened.core.submit(signal())
        client = await opened.client()
        assert [alarm["id"] for alarm in (await client.ask("queue.list"))["result"]["alarms"]] == [1]
        assert (await client.ask("queue.claim", alarm=99))["error"] == "no open alarm 99"
        assert (await client.ask("queue.claim", alarm=1))["result"]["operator"] == ME


@pytest.mark.parametrize("how", ["store", "link", "config"])
async def test_an_error_arrives_unchanged(tmp_path: Path, how: str) -> None:
    """Family, message and remedy reach the command, which ends with the family's exit status."""
    async with doors(tmp_path) as opened:
        client = await opened.client()
        expected = {"ok": False, "family": how, "error": "no", "remedy": "try again"}
        assert await client.ask("fail", how=how) == expected


WRONG = [
    b"claim 7\n",
    b"[1, 2]\n",
    b"7\n",
    b"\xff\xfe\n",
    b"[" * 50_000 + b"\n",
    b'{"do": "queue.note", "alarm": 1, "text": "\\ud800"}\n',
    b'{"do": []}\n',
    b'{"do": "queue.nothing"}\n',
    b"{}\n",
]


@pytest.mark.parametrize("line", WRONG)
async def test_bytes_that_are_not_a_request_get_an_error(tmp_path: Path, line: bytes) -> None:
    """Bytes that are not a request are answered with a usage error, and the next request is served."""
    async with doors(tmp_path) as opened:
        await opened.core.submit(signal())
        client = await opened.client()
        answer = await client.say(line)
        assert (answer["ok"], answer["family"]) == (False, "usage")
        assert (await client.ask("who"))["ok"]
        assert opened.core.read("SELECT id FROM notes") == []


@each_loop
async def test_a_line_without_end_is_not_read_for_ever(tmp_path: Path) -> None:
    """Beyond the bound the connection is closed, and others are served."""
    async with doors(tmp_path) as opened:
        client = await opened.client()
        with suppress(ConnectionError):  # the connection is closed while the client still sends
            assert await client.say(b"x" * (2 * LINE_MAX) + b"\n") == {}
        assert (await (await opened.client()).ask("who"))["ok"]


@each_loop
async def test_a_request_is_done_even_if_its_caller_hangs_up(tmp_path: Path) -> None:
    """A requested step is done and shown, even if its caller does not wait for the answer."""
    async with doors(tmp_path) as opened:
        await opened.core.submit(signal())
        watcher = await opened.client()
        watcher.writer.write(b'{"do": "watch"}\n')
        assert (await watcher.hear())["event"] == "open"
        opened.core.journal.gate.clear()
        told = opened.core.submit(signal("2"))
        await opened.core.held()
        hasty = await opened.client()
        hasty.writer.write(b'{"do": "queue.claim", "alarm": 1}\n')
        await until(lambda: len(opened.core.commit._operations) == 1)
        hasty.writer.close()
        opened.core.journal.gate.set()
        await told
        heard = [(await watcher.hear())["event"] for _ in range(3)]
        assert sorted(heard) == ["alarm", "claimed", "signal"]
        assert (await opened.core.open_alarms())[0]["operator"] == ME


# --- watching ---------------------------------------------------------------------------------------------------------


@each_loop
async def test_watching_begins_with_the_open_alarms(tmp_path: Path) -> None:
    """Open alarms come first, then every change, in order."""
    async with doors(tmp_path) as opened:
        await opened.core.submit(signal("1"))
        client = await opened.client()
        client.writer.write(b'{"do": "watch"}\n')
        first = await client.hear()
        assert (first["event"], first["alarm"]["id"]) == ("open", 1)
        await opened.core.submit(signal("2"))
        other = await opened.client()
        for do, arguments in (
            ("queue.claim", {}),
            ("queue.note", {"text": "calling"}),
            ("queue.answer", {}),
            ("queue.escalate", {}),
            ("queue.handover", {"to": "berta"}),
        ):
            assert (await other.ask(do, alarm=1, **arguments))["ok"], do
        assert (await other.ask("queue.close", alarm=1, outcome="other", force=True))["ok"]
        heard = [(await client.hear())["event"] for _ in range(8)]
        assert heard[:2] == ["signal", "alarm"]
        assert heard[2:] == ["claimed", "noted", "answered", "escalated", "handed_over", "closed"]


@each_loop
async def test_a_watcher_that_hangs_up_is_removed_even_without_events(tmp_path: Path) -> None:
    """The receiver notices the end of a watch even if no event happens."""
    async with doors(tmp_path) as opened:
        client = await opened.client()
        client.writer.write(b'{"do": "watch"}\n')
        await until(lambda: bool(opened.core.watchers))
        client.writer.close()
        await until(lambda: not opened.core.watchers)
        await until(lambda: not opened.control._calls)


async def test_a_stream_that_fails_says_why(tmp_path: Path) -> None:
    """An error in the middle of a stream reaches its watcher."""
    async with doors(tmp_path) as opened:
        client = await opened.client()
        assert await client.ask("break") == {"event": "last"}
        assert (await client.hear())["family"] == "link"


@each_loop
async def test_a_stop_closes_every_connection(tmp_path: Path) -> None:
    """A stop does not wait for watchers or idle callers, and removes the socket."""
    async with doors(tmp_path) as opened:
        watcher, thinker = await opened.client(), await opened.client()
        watcher.writer.write(b'{"do": "watch"}\n')
        await until(lambda: bool(opened.core.watchers) and len(opened.control._calls) == 2)
        await opened.control.close()
        assert (await watcher.hear(), await thinker.hear()) == ({}, {})
        assert not opened.control.path.exists()


# --- the socket -------------------------------------------------------------------------------------------------------


async def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    """A killed receiver leaves its socket; the next receiver replaces it, with the configured permissions."""
    async with doors(tmp_path) as opened:
        path = opened.control.path
        assert path == tmp_path / CONTROL_SOCKET
        path.unlink()
        path.touch()
        again = Control(tmp_path, ControlSettings(mode=0o600), [SayWho.answered_by(say_who)])
        await again.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert (await (await opened.client()).ask("who"))["ok"]
        await again.close()


async def test_a_socket_that_cannot_be_checked_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a directory loses its permissions, the log says so, the socket stays, and it is checked again."""

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    async with doors(tmp_path) as opened:
        with monkeypatch.context() as patch, capture_logs() as log:
            patch.setattr(control, "identity", refuse)
            await opened.control.stay()
        assert [(line["event"], "Permission denied" in line["why"]) for line in log] == [("control.lost", True)]
        assert (await (await opened.client()).ask("who"))["ok"]
        opened.control.path.unlink()
        await opened.control.stay()
        assert (await (await opened.client()).ask("who"))["ok"]


async def test_a_path_too_long_is_reported_with_its_remedy(tmp_path: Path) -> None:
    """The path of a Unix socket is short; the error says so at the start."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with pytest.raises(ConfigError, match="107 characters"):
        await Control(deep, ControlSettings(), []).start()


async def test_closing_an_unopened_socket_is_no_error(tmp_path: Path) -> None:
    """A control socket that never opened can be closed without an error."""
    await Control(tmp_path, ControlSettings(), []).close()


async def test_one_user_does_not_shut_the_others_out(tmp_path: Path) -> None:
    """Connections beyond the bound are refused; a user who ends one may open another."""
    async with doors(tmp_path, of_one_user_max=2) as opened:
        first, second = await opened.client(), await opened.client()
        assert (await first.ask("who"))["ok"]
        assert (await second.ask("who"))["ok"]
        third = await opened.client()
        answer = await third.hear()
        assert (answer["ok"], answer["family"]) == (False, "link")
        first.writer.close()
        await until(lambda: len(opened.control._calls) == 1)
        assert (await (await opened.client()).ask("who"))["ok"]


async def test_a_silent_caller_is_disconnected(tmp_path: Path) -> None:
    """The receiver closes the connection of a silent caller."""
    async with doors(tmp_path, silence_s=0.01) as opened:
        silent = await opened.client()
        assert await silent.hear() == {}
