"""Two people work with one queue, and each may do what their groups allow."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import running
from tests.rigs.permissions import NOBODY_UID, reachable_directory, unprivileged
from tests.rigs.queue.homes import CONFIG, homes
from tests.rigs.terminal import Terminal
from vetlla.domain.errors import AccessError, UsageError
from vetlla.receiver.control.messages.base import CONTROL_SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def two_people() -> None:
    """Skip the test if this process cannot become another user."""
    if os.geteuid() != 0:
        pytest.skip("needs to run as root, to be two operators")


@contextmanager
def an_unprivileged_user() -> Iterator[None]:
    """Run the block as a user without any group that has rights."""
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY_UID)
    try:
        with unprivileged():
            yield
    finally:
        os.setegid(group)
        os.setgroups(groups)


@pytest.mark.usefixtures("two_people")
def test_only_one_operator_holds_an_alarm() -> None:
    """The kernel identifies operators. One cannot take another's alarm, before and after a restart."""
    config = CONFIG + '[control]\nmode = 0o666\nsupervisors = "root"\n'
    with reachable_directory() as directory, running(directory, config=config) as daemon:
        daemon.state_dir.chmod(0o755)
        with Terminal(daemon.port) as home:
            home.alarm()
        assert daemon.ask("queue.claim")["operator"] == "root"
        for _ in range(2):
            with an_unprivileged_user():
                for do, more in (
                    ("claim", {}),
                    ("answer", {}),
                    ("close", {"outcome": "other"}),
                    ("claim", {"force": True}),
                ):
                    with pytest.raises(UsageError, match="held by root"):
                        daemon.ask(f"queue.{do}", alarm=1, **more)
                daemon.ask("queue.note", alarm=1, text="anybody may write something down")
            assert daemon.stop() == 0
            daemon.start()
        for stranger in ("", "maria-that-never-was", "4000000"):
            with pytest.raises(UsageError):
                daemon.ask("queue.handover", alarm=1, to=stranger)
        given = daemon.ask("queue.handover", alarm=1, to=" nobody ")
        assert (given["operator"], given["action"], given["detail"]) == ("nobody", "hand over", {"to": "nobody"})
        with pytest.raises(UsageError, match="held by nobody"):
            daemon.ask("queue.close", alarm=1, outcome="other")
        with an_unprivileged_user():
            assert daemon.ask("queue.answer", alarm=1)["operator"] == "nobody"
        assert daemon.ask("queue.close", alarm=1, outcome="other", force=True)["state"] == "closed"
        actors = journal.query(
            daemon.state_dir, "SELECT actor, action FROM audit WHERE actor <> 'receiver' ORDER BY id"
        )
        assert [tuple(row) for row in actors] == [
            ("root", "claim"),
            ("nobody", "note"),
            ("nobody", "note"),
            ("root", "hand over"),
            ("nobody", "answer"),
            ("root", "close"),
        ]


@pytest.mark.usefixtures("two_people")
def test_only_permitted_users_use_the_control_socket() -> None:
    """Its permissions keep other users out. A user without the role gets an error that names the right group."""
    with reachable_directory() as directory, running(directory, config=CONFIG) as daemon:
        assert stat.S_IMODE(daemon.state_dir.stat().st_mode) == 0o750
        assert stat.S_IMODE((daemon.state_dir / CONTROL_SOCKET).stat().st_mode) == 0o660
        daemon.state_dir.chmod(0o755)
        with an_unprivileged_user(), pytest.raises(AccessError, match=r"may not write .*: Permission denied"):
            daemon.ask("queue.list")
        assert daemon.stop() == 0

        daemon.configure(CONFIG + '[control]\nmode = 0o666\nengineers = "adm"\nsupervisors = "adm"\n')
        daemon.start()
        with an_unprivileged_user():
            assert daemon.queue() == []
            with pytest.raises(AccessError, match="may not put accounts on test"):
                daemon.ask("queue.test", account="1001", seconds=60)
            with pytest.raises(AccessError, match="may not reload") as refused:
                daemon.ask("reload")
            assert refused.value.remedy == "sudo usermod -aG adm nobody"
        assert daemon.stop() == 0

        daemon.configure(CONFIG + '[control]\nmode = 0o666\noperators = "adm"\n')
        daemon.start()
        with an_unprivileged_user(), pytest.raises(AccessError, match="nobody may not ask this receiver"):
            daemon.ask("queue.list")
        assert daemon.queue() == []
        with Terminal(daemon.port) as home:
            home.alarm()
        with pytest.raises(AccessError, match="nobody may not ask this receiver"):
            daemon.ask("queue.handover", alarm=1, to="nobody", force=True)
        assert daemon.queue()[0]["state"] == "waiting"
        assert daemon.stop() == 0
        assert daemon.told == ""


@pytest.mark.usefixtures("two_people")
def test_an_engineer_may_test_and_pause_but_not_work_alarms() -> None:
    """A user who is only in the engineers' group may look, test, pause and reload. Only operators work alarms."""
    ours = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    config = f'{CONFIG}[control]\nmode = 0o666\noperators = "adm"\nsupervisors = "adm"\nengineers = "{ours}"\n'
    with reachable_directory() as directory, homes(directory, config) as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm()
        daemon.state_dir.chmod(0o755)
        with an_unprivileged_user():
            assert daemon.status()["ready"]
            assert [alarm["id"] for alarm in daemon.queue()] == [1]
            assert daemon.ask("queue.test", account="1001", seconds=60)["operator"] == "nobody"
            assert daemon.ask("queue.tests")[0]["account"] == "1001"
            for do, more in (("pause", {"reason": "installer"}), ("resume", {})):
                assert daemon.ask(f"supervision.{do}", account="1001", **more)["operator"] == "nobody"
            assert daemon.ask("reload")["accounts"] == daemon.ask("registry")["accounts"]
            for do, more in (
                ("claim", {}),
                ("answer", {}),
                ("note", {"text": "x"}),
                ("close", {"outcome": "other"}),
                ("handover", {"to": "root"}),
                ("escalate", {}),
            ):
                with pytest.raises(AccessError, match="nobody may not work alarms\n  -> sudo usermod -aG adm nobody"):
                    daemon.ask(f"queue.{do}", alarm=1, **more)
