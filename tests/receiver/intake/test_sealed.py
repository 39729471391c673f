"""Sealed frames over a real connection: a frame that was changed on its way opens the alarm that it may have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.door import door
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.domain.clock import to_datetime
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.rigs.door import Door

KEY = Key(name="shared", secret=bytes(range(16)))
HOMES = [Account(account="1234", home="H-1", key_name="shared"), Account(account="5678", home="H-2", key_name="shared")]
ALARMS = "SELECT home, priority FROM alarms ORDER BY home"
BLOCK = 32
"""Hex digits of a block."""


def keys(who: AccountId) -> Sequence[Key]:
    return (KEY,) if who.account in {"1234", "5678"} else ()


def sealed(opened: Door, data: bytes, token: str = "ADM-CID") -> bytes:
    now = to_datetime(opened.core.clock.now().utc_us)
    who = AccountId("", "0", "1234")
    return dc09_frame.build(token, "0007", who, data, timestamp=now, key=KEY.secret, random=b"x".__mul__)


def changed(frame: bytes, old: bytes, new: bytes) -> bytes:
    """Return a frame with other bytes, and the checksum that fits them."""
    body = frame[9:-1]
    assert old in body
    return dc09_frame.envelope(body.replace(old, new))


@each_loop
async def test_a_press_that_becomes_a_heartbeat_on_its_way(tmp_path: Path) -> None:
    """The token is changed; the press is stored, acknowledged and put before an operator."""
    async with door(tmp_path, accounts=HOMES, keys=keys) as opened:
        terminal = await opened.dial()
        terminal.send(changed(sealed(opened, b"#1234|1101 01 007"), b"*ADM-CID", b"*NULL"))
        assert b'"*ACK"0007L0#1234[' in await terminal.reader.readuntil(b"\r")
        assert opened.core.read("SELECT kind FROM signals") == [{"kind": "personal_emergency"}]
        assert opened.core.read(ALARMS) == [{"home": "H-1", "priority": 0}]


@each_loop
async def test_a_press_whose_first_block_becomes_noise(tmp_path: Path) -> None:
    """Token and first block are changed; the frame may have been anything, so its priority is LIFE."""
    async with door(tmp_path, accounts=HOMES, keys=keys) as opened:
        terminal = await opened.dial()
        frame = changed(sealed(opened, b"#1234|1101 01 007"), b"*ADM-CID", b"*NULL")
        first = frame[frame.index(b"[") + 1 :][:BLOCK]
        terminal.send(changed(frame, first, b"%02X%b" % (int(first[:2], 16) ^ 0x40, first[2:])))
        assert b'"*ACK"0007L0#1234[' in await terminal.reader.readuntil(b"\r")
        (row,) = opened.core.read("SELECT kind, text FROM signals")
        assert row["kind"] == "unreadable"
        assert "it may have been changed on its way" in row["text"]
        assert opened.core.read(ALARMS) == [{"home": "H-1", "priority": 0}]


@each_loop
async def test_a_press_that_is_redirected_to_another_home(tmp_path: Path) -> None:
    """The account is changed, and both homes have the key; the frame is refused, and both homes get an alarm."""
    async with door(tmp_path, accounts=HOMES, keys=keys) as opened:
        terminal = await opened.dial()
        terminal.send(changed(sealed(opened, b"#1234|1101 01 007"), b"#1234[", b"#5678["))
        await terminal.hear(dc09_frame.envelope(b'"DUH"0007L0#5678[]'))
        await opened.core.sync()
        assert opened.core.read("SELECT id FROM signals") == []
        assert opened.core.read("SELECT DISTINCT reason FROM rejects") == [{"reason": "wrong_account"}]
        assert opened.core.read(ALARMS) == [{"home": "H-1", "priority": 0}, {"home": "H-2", "priority": 0}]


@each_loop
async def test_a_sealed_heartbeat_opens_nothing(tmp_path: Path) -> None:
    """A genuine one is acknowledged and counted."""
    async with door(tmp_path, accounts=HOMES, keys=keys) as opened:
        terminal = await opened.dial()
        terminal.send(sealed(opened, b"", "NULL"))
        assert b'"*ACK"0007L0#1234[' in await terminal.reader.readuntil(b"\r")
        assert opened.core.read("SELECT id FROM signals") == []
        assert opened.core.read(ALARMS) == []
