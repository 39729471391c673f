"""GSM terminals: retries, the device of a connection, and messages that are never answered."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from time import process_time
from typing import TYPE_CHECKING

import pytest
from fastcrc.crc16 import xmodem
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.recordings import STREAMS, Recording, decode, recordings, signals
from vetlla.domain.signals import DUPLICATE, STORED, Kind, Phase, Priority, Reason, Reject, Signal, refused
from vetlla.protocols.eview.cutter import MAX_FRAME, EviewCutter
from vetlla.protocols.eview.report import MAX_EVENTS
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from random import Random

NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
TERMINALS = sorted(set(STREAMS) - {"dc09", "ademco685", "radionics6500", "surgard"})
"""Protocols of terminals. A line receiver must be answered whatever the policy says: test_line_receivers.py."""
IMEI = b"\x10\x01350000000000017"

each_terminal = pytest.mark.parametrize("protocol", TERMINALS)


def recording(protocol: str, name: str) -> Recording:
    return next(found for found in recordings(protocol) if found.name == name)


def heard(protocol: str, data: bytes) -> list[Signal]:
    return signals(decode(STREAMS[protocol].make(lambda _: []), [data]))


def frame(body: bytes, sequence: int = 1) -> bytes:
    head = (b"\xab\x10", len(body).to_bytes(2, "little"), xmodem(body).to_bytes(2, "little"))
    return b"".join(head) + sequence.to_bytes(2, "little") + body


def sos(at: int | None, sequence: int, record: int | None = None) -> bytes:
    alarm = (0x1000).to_bytes(4, "little") + (b"" if at is None else at.to_bytes(4, "little"))
    status = b"" if record is None else b"\x09\x24" + record.to_bytes(4, "little") + bytes(4)
    return frame(b"\x01" + IMEI + status + bytes((len(alarm) + 1, 2)) + alarm, sequence)


@each_terminal
def test_a_retry_is_recognised(protocol: str) -> None:
    """The same bytes on another connection have the same identity, or none. Different parts never share an identity."""
    for found in recordings(protocol):
        first, again = heard(protocol, found.whole), heard(protocol, found.whole)
        assert [signal.identity for signal in first] == [signal.identity for signal in again], found.name
        identities = [signal.identity for signal in first if signal.identity]
        if found.is_good:
            assert len(set(identities)) == len(identities), found.name


@each_terminal
def test_two_devices_are_two_reports(protocol: str) -> None:
    """A report of one device is never a retry of another device's report."""
    identities: dict[bytes, str] = {}
    for found in recordings(protocol):
        for signal in heard(protocol, found.whole):
            if signal.identity:
                assert identities.setdefault(signal.identity, signal.id.account) == signal.id.account, found.name


@each_terminal
def test_an_alarm_without_a_time_is_never_a_retry(protocol: str) -> None:
    """If nothing distinguishes two emergencies, neither is taken for the other."""
    for found in recordings(protocol):
        for signal in heard(protocol, found.whole):
            if signal.event.kind is Kind.PERSONAL_EMERGENCY and signal.occurred_at is None and protocol != "queclink":
                assert signal.identity == b"", found.name


@pytest.mark.parametrize(
    "said",
    [
        (
            "minifinder",
            b"!1,350000000000033;",
            b"!D,01/12/25,09:15:00,59.3,18.0,3,120,12004%b,28.0,70,7,12,1.1;",
            b"1",
            b"0",
        ),
        (
            "thinkrace",
            b"IWAP00350000000000041#",
            b"IWAP10251201%b4812.4904N01622.4291E000.0101500000.0006000908000502,,,,,01#",
            b"A",
            b"V",
        ),
    ],
    ids=lambda said: said[0],
)
def test_the_time_of_an_old_fix_distinguishes_no_alarms(said: tuple[str, bytes, bytes, bytes, bytes]) -> None:
    """Two equal alarms are one alarm only if their time is that of a fix, because another time may have stood still.

    A live alarm must not look as old as the last fix.
    """
    protocol, login, alarm, fixed, unfixed = said
    assert heard(protocol, login + alarm % fixed)[-1].identity
    lost = heard(protocol, login + alarm % unfixed)[-1]
    assert (lost.event.kind, lost.identity, lost.occurred_at) == (Kind.PERSONAL_EMERGENCY, b"", None)


@each_terminal
def test_a_refused_report_is_not_acknowledged(protocol: str) -> None:
    """A refused report gets no answer; a duplicate gets the same answer as a stored report."""
    for found in recordings(protocol):
        decoder = found.decoder()
        for signal in signals(decode(decoder, [found.data])):
            assert decoder.answer(signal, refused(Reason.UNKNOWN_ACCOUNT), NOW) == b""
            assert decoder.answer(signal, DUPLICATE, NOW) == decoder.answer(signal, STORED, NOW)


@pytest.mark.parametrize("protocol", ["minifinder", "thinkrace"])
def test_the_last_login_counts(protocol: str) -> None:
    """A connection belongs to the device that logged in last."""
    one = next(found for found in recordings(protocol) if found.before and found.name.startswith("sos"))
    other = one.before.replace(b"35000000000", b"35000000009")
    assert {signal.id.account[:11] for signal in heard(protocol, other + one.data)} == {"35000000009"}
    assert heard(protocol, other + one.whole)[-1].id == heard(protocol, one.whole)[-1].id


def test_stored_and_sent_again_is_one_report() -> None:
    """A report that comes first live and then from the device's memory is one report."""
    text = b",01/12/25,09:15:00,59.3,18.0,3,120,120041,28.0,70,7,12,1.1;"
    live, stored = (heard("minifinder", b"!1,350000000000033;!" + kind + text)[-1] for kind in (b"D", b"B"))
    assert (live.identity, live.buffered, stored.buffered) == (stored.identity, False, True)
    report = recording("queclink", "sos-stored").data
    (kept,), (sent,) = heard("queclink", report), heard("queclink", report.replace(b"+BUFF", b"+RESP"))
    assert (kept.identity, kept.buffered, sent.buffered) == (sent.identity, True, False)


@pytest.mark.parametrize("name", ["sos-from-memory", "fall-of-old-firmware", "low-battery", "positions-in-batch"])
def test_eview_report_leaves_no_cycles(name: str) -> None:
    """A pendant's report leaves no cycles, because the garbage collector's search would delay the whole fleet."""
    report = recording("eview", name)
    decode(report.decoder(), [report.data])  # objects that are made once are no garbage
    gc.collect()
    gc.disable()
    try:
        decode(report.decoder(), [report.data])
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_eview_alarm_comes_again_in_another_frame() -> None:
    """An alarm with a time of its own is the same alarm in any frame; without one, only in the same frame."""
    first, again = (heard("eview", sos(1_764_999_600, number))[0] for number in (1, 2))
    later = heard("eview", sos(1_764_999_601, 3))[0]
    assert first.identity == again.identity != later.identity
    first, again = (heard("eview", sos(None, n, record=1_764_999_600))[0] for n in (1, 2))
    assert first.identity
    assert first.identity != again.identity


@settings(deadline=None)
@given(
    alarms=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=4),
    others=st.lists(st.tuples(st.integers(3, 0x60), st.binary(max_size=40)), max_size=12),
    chance=st.randoms(use_true_random=False),
)
def test_no_eview_alarm_is_lost_among_other_keys(
    alarms: list[tuple[int, int]], others: list[tuple[int, bytes]], chance: Random
) -> None:
    """Every bit of every alarm is reported, an SOS first, whatever keys stand around them, in any order and form."""
    keys = [(2, code.to_bytes(4, "little") + at.to_bytes(4, "little")) for code, at in alarms] + others
    chance.shuffle(keys)
    came = heard("eview", frame(b"\x01" + IMEI + b"".join(bytes((len(value) + 1, key)) + value for key, value in keys)))
    told = {signal.event.code for signal in came}
    bits = {bit for code, _ in alarms for bit in range(32) if code >> bit & 1}
    assert {f"bit{bit}" for bit in bits if bit not in range(26, 30)} <= told
    assert 12 not in bits or came[0].event.code == "bit12"


@given(status=st.integers(0, 2**32 - 1), fix=st.text("AV,.0123456789-NSEW ", max_size=40))
def test_no_watch_alarm_is_lost_after_a_position(status: int, fix: str) -> None:
    """Every high bit of a watch's status is reported, whatever the fields of its place hold."""
    place = [field.strip() for field in (fix + ",,,,,,").split(",")][:5]
    content = ",".join(
        ("UD", "011225", "101500", *place, "0", "0", "0", "0", "9", "9", "0", "0", f"{status:08X}", "0,0")
    )
    came = heard("watch3g", f"[3G*5000000001*{len(content):04X}*{content}]".encode())
    bits = [f"bit{bit}" for bit in range(16, 32) if status >> bit & 1]
    assert sorted(signal.event.code for signal in came) == sorted(bits or ["UD"])
    assert "bit16" not in bits or came[0].event.code == "bit16"


def bracketed(content: str) -> bytes:
    return f"[3G*5000000001*{len(content):04X}*{content}]".encode()


STATES = {
    "eview": lambda bits: frame(b"\x01" + IMEI + b"\x05\x02" + bits.to_bytes(4, "little")),
    "minifinder": lambda bits: f"!D,01/12/25,09:15:00,59.3,18.0,3,120,{bits:x},28.0,70,7,12,1.1;".encode(),
    "watch3g": lambda bits: bracketed(f"AL,011225,101500,V,,,,,0,0,0,0,9,9,0,0,{bits:08X},0,0"),
}
"""A report with these alarm bits."""


@pytest.mark.parametrize("protocol", STATES)
@given(bits=st.integers(0, 2**32 - 1))
def test_the_gravest_alarm_leads(protocol: str, bits: int) -> None:
    """Several alarm bits of one frame are reported in the order of their urgency."""
    urgency = [
        Priority.ROUTINE if signal.event.phase is Phase.RESTORE else PRIORITIES[signal.event.kind]
        for signal in heard(protocol, STATES[protocol](bits))
    ]
    assert urgency == sorted(urgency)


@given(status=st.integers(0, 2**32 - 1), values=st.integers(2, 8), command=st.sampled_from(["UD", "AL", "al_lte"]))
def test_no_watch_alarm_is_lost_in_a_short_form(status: int, values: int, command: str) -> None:
    """Every high bit of a watch's status is reported, however many values it leaves out before the status."""
    said = ",".join((command, "011225,101500,A,41.387111,N,2.171111,E", *["0"] * values, f"{status:08X}"))
    bits = {f"bit{bit}" for bit in range(16, 32) if status >> bit & 1}
    came = heard("watch3g", bracketed(said))
    assert {signal.event.code for signal in came} == (bits or {command.upper()})
    assert {signal.measurements.get("gsm", 0) for signal in came} == {0}


def test_the_receiver_does_not_wait_for_a_watch_that_claims_too_many_bytes() -> None:
    """A length of 64 KiB must not make the receiver hold more bytes than a message can have."""
    decoder = STREAMS["watch3g"].make(lambda _: [])
    decoder.feed(b"[3G*5000000001*FFFF*LK]")
    rejected = [item for item in decoder.feed(b"A" * 20_000) if isinstance(item, Reject)]
    assert rejected
    assert all(len(item.raw) <= STREAMS["watch3g"].max_pending for item in rejected)


def test_one_bad_bit_is_never_acknowledged() -> None:
    """An Eview frame with any one bit flipped gives no signal."""
    good = recording("eview", "sos-at-home-beacon").data
    for bit in range(8 * len(good)):
        bent = bytearray(good)
        bent[bit // 8] ^= 1 << bit % 8
        came = decode(STREAMS["eview"].make(lambda _: []), [bytes(bent)])
        if bit // 8 in {1, 6, 7}:
            continue  # properties and sequence are not covered by the checksum
        assert came
        assert all(isinstance(item, Reject) for item in came), bit


def test_a_message_of_nothing_but_alarms_is_bounded() -> None:
    """However many alarms one message claims, it becomes at most ``MAX_EVENTS`` signals, the most urgent ones."""
    keys = b"".join(b"\x09\x02\xff\xff\xff\xff" + (1_700_000_000 + n).to_bytes(4, "little") for n in range(800))
    came = heard("eview", frame(b"\x01" + IMEI + keys))
    assert len(came) == MAX_EVENTS
    assert {signal.event.kind for signal in came} == {Kind.PERSONAL_EMERGENCY}
    assert [signal.part for signal in came] == list(range(1, MAX_EVENTS + 1))


@pytest.mark.parametrize("pattern", [b"\xab", b"\xab\xab\xab\x10\x10\x10", b"\xab\x10\xff\x1f", b"\xab\x10\x01\x00"])
def test_an_sos_after_a_stream_of_openings(pattern: bytes) -> None:
    """A stream made of openings costs bounded work, and the frame after it is read."""
    cutter = EviewCutter()
    started = process_time()
    flood = (pattern * MAX_FRAME)[: 4 * MAX_FRAME]
    pieces = cutter.feed(flood + sos(1_764_999_600, 1)) + cutter.finish()
    assert sos(1_764_999_600, 1) in pieces
    assert process_time() - started < 5  # 32 KiB take a quarter of a second; comparing pairs of openings takes minutes
