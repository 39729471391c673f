"""Ports of line receivers: what a port makes of its frames, and when it is opened again."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import core, small, until
from tests.rigs.loops import each_loop
from tests.rigs.recordings import STREAMS
from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import STORED, Event, Kind, Reject, Reply, Signal
from vetlla.domain.supervision import NOTHING
from vetlla.protocols.registry import PROTOCOLS
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.line.port import TURN_BYTES, WAITING_MAX, LinePort, PortBounds
from vetlla.receiver.listeners.line.port_decoder import PortDecoder
from vetlla.receiver.listeners.line.state import PortState
from vetlla.receiver.session import SessionServices
from vetlla.receiver.supervision.line_receivers import with_line_receivers
from vetlla.service.supervision.rules import Health
from vetlla.settings.line import Line

if TYPE_CHECKING:
    from vetlla.protocols.decoder import Decoder

ACCEPT: Any = {"host": "127.0.0.1", "port": 0}
CALL = b"5011 181234E10100007\x14"
OTHER = b"5012 185678E10100007\x14"
HEARTBEAT = b"1011           @    \x14"
STATUS = b"0011[#0000|NYS0000]\x14"


def line(**settings: Any) -> Line:  # noqa: ANN401 - a setting's value
    return Line.model_validate({"name": "sg", "protocol": "surgard", "accept": ACCEPT} | settings)


def decoder_of(port: Line, state: PortState | None = None) -> PortDecoder:
    decoder = PROTOCOLS["surgard"].make(lambda _: ())
    return PortDecoder(port, decoder, state or PortState(), ManualClock())  # type: ignore[arg-type]


def said(port: Line, data: bytes) -> list[Signal]:
    return [item for item in decoder_of(port).feed(data) if isinstance(item, Signal)]


def test_each_frame_is_a_sign_of_life_of_its_receiver() -> None:
    """A sign of life comes before the report and is not answered; a heartbeat is one itself."""
    decoder = decoder_of(line())
    sign, call = decoder.feed(CALL)
    assert isinstance(sign, Signal)
    assert isinstance(call, Signal)
    assert (sign.id.account, sign.event.kind, sign.device) == ("LINE:sg", Kind.HEARTBEAT, "")
    assert decoder.answer(sign, STORED, ManualClock().now()) == b""  # type: ignore[arg-type]
    assert decoder.answer(call, STORED, ManualClock().now()) == b"\x06"  # type: ignore[arg-type]
    (beat,) = decoder.feed(HEARTBEAT)
    assert isinstance(beat, Signal)
    assert (beat.id.account, beat.event.kind) == ("LINE:sg", Kind.HEARTBEAT)
    assert decoder.answer(beat, STORED, ManualClock().now()) == b"\x06"  # type: ignore[arg-type]


def test_a_supervised_telephone_line_shows_its_presence() -> None:
    """Only the lines that are named are supervised."""
    sign, _ = said(line(lines=("1", "2")), CALL)
    assert (sign.event.kind, sign.device) == (Kind.PRESENCE, "1")
    sign, _ = said(line(lines=("2",)), CALL)
    assert (sign.event.kind, sign.device) == (Kind.HEARTBEAT, "")


@pytest.mark.parametrize(
    ("settings", "receiver", "account"),
    [({}, "01", "1234"), ({"receiver": "9"}, "9", "1234"), ({"account_prefix": "40"}, "01", "401234")],
)
def test_rules_of_a_port(settings: dict[str, str], receiver: str, account: str) -> None:
    """Receiver number and prefix apply to homes; the receiver's own messages belong to its account."""
    _, call = said(line(**settings), CALL)
    assert call.id == (receiver, "1", account)
    assert call.details["t2_from"] == "first_byte"
    _, own = said(line(**settings), STATUS)
    assert own.id == (receiver, "1", "LINE:sg")


def test_a_block_has_one_sign_of_life() -> None:
    """Several events of one frame are answered once."""
    decoder = decoder_of(line())
    items = decoder.feed(b"S011[#1234|NPA01/PA02]\x14")
    assert [item.event.kind for item in items if isinstance(item, Signal)].count(Kind.HEARTBEAT) == 1
    answers = [decoder.answer(one, STORED, ManualClock().now()) for one in items if isinstance(one, Signal)]  # type: ignore[arg-type]
    assert answers == [b"", b"", b"\x06"]


def test_damage_is_counted_and_refused() -> None:
    """Damage passes through the port's rules unchanged."""
    state = PortState()
    decoder = decoder_of(line(), state)
    decoder.feed(HEARTBEAT)
    reject, reply = decoder.feed(b"50\xb11 gone\x14")
    assert isinstance(reject, Reject)
    assert reply == Reply(data=b"\x15")
    assert (state.frames, state.damaged) == (1, 1)


def test_the_end_of_a_message_at_the_opening_of_a_port_is_refused() -> None:
    """Its ACK would be taken for that of the whole message. The receiver sends it again, and then it is taken."""
    serial = line(accept=None, serial={"device": Path("/dev/ttyS0")})
    decoder = decoder_of(serial)
    reject, reply = decoder.feed(b"4E40100007\x14")
    assert isinstance(reject, Reject)
    assert reply == Reply(data=b"\x15")
    _, unknown = decoder.feed(b"4E40100007\x14")
    assert isinstance(unknown, Signal)
    assert decoder.answer(unknown, STORED, ManualClock().now()) == b"\x06"  # type: ignore[arg-type]
    assert isinstance(decoder_of(line()).feed(b"4E40100007\x14")[-1], Signal)  # a connection begins with a message


@pytest.mark.parametrize("noise", [b"\x87\n", b"\xe3\xf5\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\n"])
def test_noise_before_a_message_is_not_refused(noise: bytes) -> None:
    """Its NAK would let the receiver send the message again, and the second ACK would count for the next one."""
    decoder = PortDecoder(
        line(protocol="ademco685"), STREAMS["ademco685"].make(lambda _: ()), PortState(), ManualClock()
    )
    decoder.feed(b"\n00 OKAY @\r")
    items = decoder.feed(noise + b"\n16 1383 18 E384 74 C450 \r")
    assert [item for item in items if isinstance(item, Reply)] == []
    assert any(isinstance(item, Signal) and item.id.account == "1383" for item in items)
    assert [item for item in decoder.feed(b"\x87\n") if isinstance(item, Reply)] == []


def test_the_rest_of_a_message_with_a_damaged_beginning_is_refused() -> None:
    """It looks like a message of another receiver. An emulator that was written from the manuals found it."""
    decoder = decoder_of(line())
    decoder.feed(HEARTBEAT)
    items = decoder.feed(b"1\xb01003      1012 R3675\x14")
    assert not any(isinstance(item, Signal) for item in items)
    assert items[-1] == Reply(data=b"\x15")
    _, whole = decoder.feed(b"101003      1012 R3675\x14")
    assert isinstance(whole, Signal)
    assert (whole.id.receiver, whole.id.account) == ("01", "1012")
    noisy = b"\x02\x031013      1013 R3675\x14"  # a receiver that sends something before each message
    assert decoder.feed(noisy)[-1] == Reply(data=b"\x15")
    assert isinstance(decoder.feed(noisy)[-1], Signal)


@pytest.mark.parametrize("block", [b"S011[#1234|NPA01/Nri1/ZQ02]\x14", b"S011[#1234|NZQ01/PA02]\x14"])
def test_the_first_message_of_a_serial_port_is_refused_or_taken_as_a_whole(block: bytes) -> None:
    """The first event decides for all: a message is never answered twice, and no event of it is kept alone."""
    decoder = decoder_of(line(accept=None, serial={"device": Path("/dev/ttyS0")}))
    items = decoder.feed(block)
    events = [item for item in items if isinstance(item, Signal) and item.raw]
    answers = [decoder.answer(one, STORED, ManualClock().now()) for one in events]  # type: ignore[arg-type]
    naks = [item for item in items if isinstance(item, Reply)]
    assert len(naks) + answers.count(b"\x06") == 1
    assert not (naks and events)


def test_copies_in_one_read_are_answered_once() -> None:
    """An ACK has no number, so the receiver may take a second one for that of its next message."""
    decoder = decoder_of(line())
    calls = [item for item in decoder.feed(CALL * 3 + OTHER + CALL) if isinstance(item, Signal)]
    answers = b"".join(decoder.answer(call, STORED, ManualClock().now()) for call in calls)  # type: ignore[arg-type]
    assert answers == b"\x06" * 3


# --- supervision ------------------------------------------------------------------------------------------------------


async def test_a_telephone_line_that_brings_no_call_is_lost(tmp_path: Path) -> None:
    """The receiver is alive, and one of its lines is not: that line is lost after its quiet time, and comes back."""
    place = {"name": "sg", "protocol": "surgard", "accept": ACCEPT, "lines": ("1", "2"), "line_quiet_s": 3_600}
    lines: Any = (place | {"interval_s": 3_600},)
    settings = small(tmp_path, line=lines, supervision={"tolerance_s": 0})
    async with core(tmp_path, settings=settings) as rig:

        async def tell(data: bytes) -> None:
            for signal in said(settings.line[0], data):
                await rig.submit(signal, arrival=rig.arrival(listener="sg"))

        def states() -> list[Health]:
            return [Health(one) for one in rig.supervision.fleet.state[:3]]

        assert {one.account for one in rig.book} == {"LINE:sg"}
        await tell(CALL)
        await tell(CALL.replace(b"5011", b"5012"))
        for _ in range(5):
            rig.clock.advance(1_000)
            await tell(CALL)
            rig.supervision.look()
            await rig.sync()
        assert states() == [Health.OK, Health.OK, Health.LOST]
        alarms = [one for one in await rig.open_alarms() if one["home"] == "LINE:sg"]
        assert [(one["kind"], one["priority"]) for one in alarms] == [("device_lost", "TECHNICAL")]
        await tell(CALL.replace(b"5011", b"5012"))
        assert states() == [Health.OK] * 3


async def test_a_registered_receiver_keeps_its_labels_and_has_its_lines(tmp_path: Path) -> None:
    """An engineer may give the account of a line receiver labels and a home; its port still supervises it."""
    own = Account(account="line:sg", home="H-9", labels=("operator:orange",))
    port = line(lines=("1",), interval_s=60, line_quiet_s=300)
    book, expected = with_line_receivers(AccountBook([own, Account(account="1")]), NOTHING, [port])
    (found,) = book.of_number("LINE:sg")
    assert (found.home, found.labels, found.interval_s, found.ucr_interval_s) == ("H-9", ("operator:orange",), 60, 100)
    assert len(book) == 2
    assert [one.id for one in expected.ucrs["H-9"]] == ["1"]


# --- ports that we open -----------------------------------------------------------------------------------------------


class _Port:
    """A real port to a receiver that listens on loopback, with a core behind it."""

    def __init__(self, rig: Any, bounds: PortBounds = PortBounds(first_retry_s=0.01, retry_max_s=0.02)) -> None:  # noqa: ANN401
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(0)
        self.line = line(accept=None, connect={"host": "127.0.0.1", "port": self.listening.getsockname()[1]})
        self.state = PortState()
        self.counters = rig.counters
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)

        def make() -> Decoder:
            return PortDecoder(self.line, PROTOCOLS["surgard"].make(lambda _: ()), self.state, rig.clock)  # type: ignore[arg-type]

        self.port = LinePort(self.line, services, make, self.state, bounds=bounds)

    async def accept(self) -> socket.socket:
        async with asyncio.timeout(20):
            peer, _ = await asyncio.get_running_loop().sock_accept(self.listening)
        return peer

    async def close(self) -> None:
        await self.port.close()
        self.listening.close()


def with_line(directory: Path) -> Any:  # noqa: ANN401 - settings
    place: Any = ({"name": "sg", "protocol": "surgard", "accept": ACCEPT},)
    return small(directory, line=place)


async def hear(peer: socket.socket) -> bytes:
    async with asyncio.timeout(20):
        return await asyncio.get_running_loop().sock_recv(peer, 100)


@each_loop
async def test_a_silent_connection_is_made_again(tmp_path: Path) -> None:
    """A receiver that vanished leaves no end of the connection; another connection may reach it."""
    async with core(tmp_path, settings=with_line(tmp_path)) as rig:
        one = _Port(rig, PortBounds(first_retry_s=0.01, retry_max_s=0.02, silence_s=0.05))
        await one.port.start()
        first = await one.accept()
        second = await one.accept()
        assert await hear(first) == b""
        await until(lambda: one.state.openings == 2)
        await one.close()
        first.close()
        second.close()


@each_loop
async def test_a_port_is_not_closed_for_damage(tmp_path: Path) -> None:
    """After too much damage the decoder begins again, and the next frame is read."""
    async with core(tmp_path, settings=with_line(tmp_path)) as rig:
        one = _Port(rig)
        await one.port.start()
        peer = await one.accept()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, HEARTBEAT)
        assert await hear(peer) == b"\x06"
        for _ in range(rig.settings.limits.bogus_frames):
            await loop.sock_sendall(peer, b"50\xb11 gone\x14")
            assert await hear(peer) == b"\x15"
        await until(lambda: rig.counters.connections_refused[Refusal.BOGUS] == 1)
        await loop.sock_sendall(peer, CALL)
        assert await hear(peer) == b"\x06"
        assert len(await rig.open_alarms()) == 1
        assert one.state.openings == 1
        await one.close()
        peer.close()


@each_loop
async def test_more_bytes_than_a_receiver_sends_end_the_session_and_not_the_port(tmp_path: Path) -> None:
    """A flood is read some bytes in each turn, and what is more than the bound is dropped."""
    async with core(tmp_path, settings=with_line(tmp_path)) as rig:
        one = _Port(rig)
        one.port.opened(_Wire())
        frames = HEARTBEAT * (TURN_BYTES // len(HEARTBEAT) + 10)
        one.port.received(frames)
        await until(lambda: one.state.frames == len(frames) // len(HEARTBEAT))
        one.port.received(b"x" * TURN_BYTES)
        one.port.received(b"x" * WAITING_MAX)
        one.port.received(b"x" * WAITING_MAX)
        assert rig.counters.connections_refused[Refusal.BOGUS] == 1
        await asyncio.sleep(0)
        one.port.received(HEARTBEAT)
        await until(lambda: one.state.frames == len(frames) // len(HEARTBEAT) + 1)
        await one.close()


class _Wire:
    """A wire whose other end is not there."""

    address = "nowhere"

    def write(self, data: bytes) -> None:
        """Drop the bytes."""

    def close(self) -> None:
        """Do nothing."""


def test_the_code_of_a_sign_of_life_is_not_one_that_a_device_sends() -> None:
    """No frame can make the port leave a report without an answer."""
    sign = Event(Kind.HEARTBEAT, said(line(), CALL)[0].event.phase, "sign of life", "surgard")
    assert said(line(), CALL)[0].event == sign
    for data in (CALL, STATUS, b"1011      1234 A sign\x14", b"S011[#1234|Nsign of life]\x14"):
        assert [one.event.code for one in said(line(), data)].count("sign of life") == 1
