"""Who asks over the control socket, which roles they have, and who can be handed an alarm."""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from tests.rigs.controls import ME, doors
from vetlla.domain.errors import AccessError, UsageError
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.roles import Caller, User, admit
from vetlla.receiver.control.server import _user, by_name, colleague
from vetlla.settings.model import Settings
from vetlla.settings.surfaces import ControlSettings

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "nobody"
"""A user of every machine who is in no group of ours."""


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
