"""The control socket: roles, requests and answers, over a real socket."""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import pwd
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.controls import ME, SayWho, doors, say_who
from tests.rigs.core import signal, until
from tests.rigs.loops import each_loop
from tests.rigs.permissions import reachable_directory
from vetlla.domain.errors import AccessError, ConfigError, UsageError
from vetlla.receiver.control import server as control
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.roles import Caller, User, admit
from vetlla.receiver.control.server import LINE_MAX, Control, _user, by_name, colleague
from vetlla.settings.model import ControlSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """Make a state directory that every user of the machine can reach."""
    with reachable_directory() as folder:
        yield folder


COUPLES = [(ME, ME), *([("daemon", "nobody")] if os.geteuid() == 0 else [])]
"""Users who claim at the same time: two commands of one user, and two users if the tests run as root."""
OTHER = "nobody"
"""A user of every machine who is in no group of ours."""


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


# --- who asks ---------------------------------------------------------------------------------------------------------


async def test_the_kernel_says_who_asks(tmp_path: Path) -> None:
    """The receiver's own user has every role, whatever groups are set, and a request cannot name another user."""
    async with doors(tmp_path, operators="no-such-group", supervisors="no-such-group") as opened:
        client = await opened.client()
        assert (await client.ask("who"))["result"] == [ME, True, True, True]
        refusal = await client.ask("who", operator="another user")
        assert (refusal["family"], refusal["error"]) == ("usage", "'operator' is no argument of this request")


if os.geteuid() == 0:  # only root can be two users

    async def test_a_user_who_is_not_an_operator_is_told_what_to_do(public_dir: Path) -> None:
        """A user who is not an operator gets an answer that says what to do."""
        async with doors(public_dir, mode=0o666, operators="no-such-group") as opened:
            answer = await (await opened.client(OTHER)).ask("queue.list")
            assert (answer["family"], answer["error"]) == ("access", f"{OTHER} may not ask this receiver")
            assert "no-such-group" in answer["remedy"]


# --- who can be handed an alarm ---------------------------------------------------------------------------------------


def handed_to(name: str, directory: Path, operators: str | None = None) -> str:
    """Return the name under which an alarm would be handed to a colleague. Raises UsageError."""
    configured = Settings(state_dir=directory, control=ControlSettings(operators=operators))
    return asyncio.run(colleague(name, configured, by_name))


def test_an_alarm_goes_to_users_of_the_machine_only(tmp_path: Path) -> None:
    """A typing error in the name must not give a call to a user who does not exist."""
    assert handed_to(ME, tmp_path) == ME
    for name in ("maria-that-never-was", "4000000", "a\0b", "*", "\udcff"):
        with pytest.raises(UsageError, match="this machine has no user") as refusal:
            handed_to(name, tmp_path)
        assert "getent passwd" in refusal.value.remedy


def test_an_alarm_goes_to_operators_only(public_dir: Path) -> None:
    """A user without the role could neither see nor close it; the receiver's own user has every role."""
    assert handed_to("root", public_dir, operators="no-such-group") == "root"
    with pytest.raises(AccessError, match=f"{OTHER} may not ask this receiver"):
        handed_to(OTHER, public_dir, operators="no-such-group")


def test_an_alarm_goes_to_those_who_can_open_the_socket(public_dir: Path) -> None:
    """Without a group, users have the role if the permissions let them reach the socket from the root directory."""
    socket_path = public_dir / CONTROL_SOCKET
    socket_path.touch()
    socket_path.chmod(0o666)
    assert handed_to(OTHER, public_dir) == OTHER
    socket_path.chmod(0o660)
    with pytest.raises(UsageError, match=rf"{OTHER} cannot open .*control\.sock"):
        handed_to(OTHER, public_dir)
    socket_path.chmod(0o666)
    public_dir.chmod(0o750)
    with pytest.raises(UsageError, match=f"{OTHER} cannot open"):
        handed_to(OTHER, public_dir)


def test_a_file_system_without_access_lists_is_checked_by_its_mode(
    public_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handover still works if the file system has no extended attributes."""

    def unsupported(_: object) -> list[str]:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "listxattr", unsupported)
    socket_path = public_dir / CONTROL_SOCKET
    socket_path.touch()
    socket_path.chmod(0o666)
    assert handed_to(OTHER, public_dir) == OTHER


if os.geteuid() == 0:  # only root can give files away

    def test_owner_and_group_of_the_socket_may_connect(public_dir: Path) -> None:
        """Permissions are checked as the kernel checks them: the owner's first, then the group's, then the others'."""
        socket_path = public_dir / CONTROL_SOCKET
        socket_path.touch()
        other = pwd.getpwnam(OTHER)
        for owner, group, mode, allowed in (
            (other.pw_uid, 0, 0o600, True),
            (other.pw_uid, 0, 0o066, False),
            (1, other.pw_gid, 0o020, True),
            (1, other.pw_gid, 0o602, False),
            (1, 0, 0o602, True),
        ):
            os.chown(socket_path, owner, group)
            socket_path.chmod(mode)
            if allowed:
                assert handed_to(OTHER, public_dir) == OTHER
            else:
                with pytest.raises(UsageError, match="cannot open"):
                    handed_to(OTHER, public_dir)

    def test_the_remedy_names_the_group_that_opens_the_socket(public_dir: Path) -> None:
        """The remedy names the group of the file, because not every receiver's group is called vetlla."""
        socket_path = public_dir / CONTROL_SOCKET
        socket_path.touch()
        daemon = grp.getgrnam("daemon").gr_gid
        for place, mode, remedy in (
            (public_dir, 0o750, f"sudo usermod -aG daemon {OTHER}"),
            (public_dir, 0o700, f"give {public_dir} to a group of {OTHER}"),
            (socket_path, 0o660, f"sudo usermod -aG daemon {OTHER}"),
            (socket_path, 0o640, f"give {socket_path} to a group of {OTHER}"),
        ):
            os.chown(place, 0, daemon)
            place.chmod(mode)
            with pytest.raises(UsageError, match=f"{OTHER} cannot open") as refusal:
                handed_to(OTHER, public_dir)
            assert refusal.value.remedy.startswith(remedy)
            place.chmod(0o777)


def test_a_user_without_a_name_is_a_number() -> None:
    """A container's user without an entry, and a group without a name, are accepted."""
    assert _user(4_000_000, 4_000_000) == User("4000000", frozenset(), ours=False)
    me = pwd.getpwuid(os.geteuid())
    assert _user(me.pw_uid, 4_000_000).name == me.pw_name


def test_roles_are_groups() -> None:
    """If a role has no group, everyone has it; otherwise only the members of the group have it."""
    settings = ControlSettings(operators="arc", supervisors="arc-leads", engineers=None)
    member = User("ana", frozenset({"arc"}), ours=False)
    lead = User("sara", frozenset({"arc", "arc-leads"}), ours=False)
    assert admit(member, settings) == Caller("ana", supervisor=False, engineer=True, works_alarms=True)
    assert admit(lead, settings) == Caller("sara", supervisor=True, engineer=True, works_alarms=True)
    assert admit(User("root", frozenset(), ours=True), settings) == Caller(
        "root", supervisor=True, engineer=True, works_alarms=True
    )


def test_each_role_is_held_by_its_own_group() -> None:
    """An engineer who is not an operator works no alarms; a user who can only open the socket has no role."""
    settings = ControlSettings(operators="arc", supervisors="arc-leads", engineers="arc-tech")
    engineer = User("enric", frozenset({"vetlla", "arc-tech"}), ours=False)
    lead = User("sara", frozenset({"vetlla", "arc-leads"}), ours=False)
    assert admit(engineer, settings) == Caller("enric", supervisor=False, engineer=True, works_alarms=False)
    assert admit(lead, settings) == Caller("sara", supervisor=True, engineer=False, works_alarms=True)
    stranger = User("carla", frozenset({"vetlla"}), ours=False)
    for named in (settings, ControlSettings(operators="arc")):
        with pytest.raises(AccessError, match="carla may not ask this receiver\n  -> sudo usermod -aG arc carla"):
            admit(stranger, named)


async def test_a_reload_changes_the_groups(tmp_path: Path) -> None:
    """New groups apply at once, also on open connections."""
    async with doors(tmp_path, engineers="no-such-group") as opened:
        client = await opened.client()
        assert (await client.ask("who"))["ok"]
        opened.control.settings = ControlSettings(engineers=None)
        assert (await client.ask("who"))["result"] == [ME, True, True, True]


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
