"""The daemon's parts around the core: listeners that start late, and tasks that run beside the reports."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any
from unittest.mock import DEFAULT, Mock

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import Core, core, small, until
from vetlla.domain.accounts import AccountBook
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import StoreError
from vetlla.domain.supervision import NOTHING
from vetlla.protocols.registry import load_protocols
from vetlla.receiver.control.server import Control
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.receiver.registry_snapshot import RegistrySnapshot
from vetlla.receiver.reload import Taken
from vetlla.receiver.serve import Receiver
from vetlla.receiver.startup import prepare
from vetlla.receiver.supervision.expectations import Expectations
from vetlla.settings.listen import Listen
from vetlla.store.ports import Registered

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.model import Settings


def over(rig: Core, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Return a receiver that has opened all parts but its listeners, and reads its registry without a fault."""
    receiver = Receiver(settings, lambda: settings, SystemClock())
    receiver._parts = rig.parts

    async def read() -> None:
        pass

    monkeypatch.setattr(receiver._reload, "registry", read)
    return receiver


def expect(settings: Settings) -> Expectations:
    """Return the expectations of a registry without accounts."""
    return Expectations(AccountBook(), NOTHING, settings.supervision)


@pytest.mark.parametrize("trouble", [OSError(errno.ENOMEM, "Cannot allocate memory"), ZeroDivisionError()])
async def test_a_listener_that_does_not_start_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """After a delayed start the receiver logs what prevents it from listening, and tries again."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    listen = Listen(protocol="dc09", host="127.0.0.1", port=port)
    settings = small(tmp_path).model_copy(update={"listen": (listen,)})
    start, troubles = UdpListener.start, [trouble, trouble]

    async def start_late(self: UdpListener) -> None:
        if troubles:
            raise troubles.pop()
        await start(self)

    monkeypatch.setattr(UdpListener, "start", start_late)
    async with core(tmp_path, settings=settings) as rig:
        receiver = over(rig, settings, monkeypatch)
        with capture_logs() as log:
            await receiver._listen_when_read(prepare(settings, load_protocols()))
        events = [line["event"] for line in log if line["event"].startswith("receiver.")]
        assert events == ["receiver.cannot_listen", "receiver.cannot_listen", "receiver.ready"]
        assert {one.port for one in receiver._listeners.bound} == {port}
        assert rig.commit.ready
        await receiver._listeners.close()


async def test_a_stop_ends_a_start_that_still_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that waits for its registry stops at once and does not begin to listen while it stops."""
    listen = Listen(protocol="dc09", host="127.0.0.1", port=0)
    settings = small(tmp_path, store={"retry_s": 3_600}).model_copy(update={"listen": (listen,)})

    async def read() -> StoreError:
        return StoreError("the registry is held")

    async with core(tmp_path, settings=settings) as rig:
        receiver = over(rig, settings, monkeypatch)
        monkeypatch.setattr(receiver._reload, "registry", read)
        receiver._begin(receiver._listen_when_read(prepare(settings, load_protocols())))
        await until(lambda: not rig.commit.ready)
        (waiting,) = receiver._reloads
        await receiver._drain()
        assert waiting.cancelled()
        assert receiver._listeners.bound == []


async def test_settings_are_applied_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one part cannot apply other settings, each part gets back the settings and accounts that were in force."""
    before, after = small(tmp_path), small(tmp_path, queue={"chain_window_s": 1.0})
    async with core(tmp_path, settings=before) as rig:
        receiver = over(rig, before, monkeypatch)
        receiver._control = Control(tmp_path, before.control, [])
        receiver._registry = RegistrySnapshot(Registered(), expectations := expect(before))
        taken = Taken(after, RegistrySnapshot(Registered(), expect(after)), {})
        parts: list[Any] = [rig.supervision, *rig.parts.reloadable, receiver._control]
        for broken in parts:
            given = {part: Mock(wraps=part.apply) for part in parts}
            with monkeypatch.context() as patch:
                for part in parts:
                    patch.setattr(part, "apply", given[part])
                given[broken].side_effect = [ZeroDivisionError, DEFAULT]
                with pytest.raises(ZeroDivisionError):
                    await receiver._take(taken)
            for part in parts[1:]:
                assert given[part].call_args.args[0] is before
            assert given[rig.supervision].call_args.args == (before.supervision, expectations)
            assert receiver._registry.expectations is expectations


async def test_a_fault_in_another_task_is_logged(tmp_path: Path) -> None:
    """A fault in a reload, or in the check of the control socket, is logged and not lost with its task."""

    async def fail() -> None:
        raise ZeroDivisionError

    settings = small(tmp_path)
    receiver = Receiver(settings, lambda: settings, SystemClock())
    with capture_logs() as log:
        receiver._begin(fail())
        await until(lambda: not receiver._reloads)
    assert [(line["event"], line["why"]) for line in log] == [("task.failed", "ZeroDivisionError()")]
