"""The DC-09 decoder: answers byte for byte, keys, identity and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.recordings import decode, signals
from vetlla.domain.signals import (
    DUPLICATE,
    STORED,
    AccountId,
    Hangup,
    Item,
    Key,
    Kind,
    Reason,
    Reject,
    Reply,
    Signal,
    Verdict,
    refused,
)
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import Frame, build, envelope, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

HOME = AccountId("", "0", "1234")
FAR = AccountId("C0FFD", "77", "080027E62A64")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = Key(name="spring", secret=b"0123456789abcdef")
NEW = Key(name="autumn", secret=bytes(range(32)))
DATA = b"#1234|1101 01 007"
STALE = refused(Reason.STALE_TIME)
REFUSALS = [refused(reason) for reason in (Reason.PLAIN_REFUSED, Reason.UNKNOWN_ACCOUNT, Reason.UNSUPPORTED)]


def decoder(*keys: Key) -> Dc09Decoder:
    def lookup(_: AccountId) -> Sequence[Key]:
        return keys

    return Dc09Decoder(lookup)


def items_of(raw: bytes, *keys: Key) -> list[Item]:
    return decode(decoder(*keys), [raw])


def signal_of(raw: bytes, *keys: Key) -> Signal:
    (signal,) = items_of(raw, *keys)
    assert isinstance(signal, Signal)
    return signal


def answer(body: bytes, verdict: Verdict, *, binary: bool = False, eldes: bool = False) -> bytes:
    one = decoder()
    (signal,) = signals(one.feed(envelope(body, binary_crc=binary, counts_cr=eldes)))
    return one.answer(signal, verdict, NOW)


ECHOES = [
    (b'"ADM-CID"0001L0#1234[#1234|1101 01 007]', b"0001L0#1234"),
    (b'"ADM-CID"0001R1L2#1234[#1234|1101 01 007]', b"0001R1L2#1234"),
    (b'"ADM-CID"0001#1234[#1234|1101 01 007]', b"0001L0#1234"),
    (b'"ADM-CID"0001L#1234[#1234|1101 01 007]', b"0001L0#1234"),
    (b'"ADM-CID"0001R1#1234[#1234|1101 01 007]', b"0001R1L0#1234"),
    (b'"ADM-CID"0001RL#1234[#1234|1101 01 007]', b"0001RL0#1234"),
    (b'"ADM-CID"000aRc0ffdLabcdef#beef[#beef|1101 01 007]', b"000aRc0ffdLabcdef#beef"),
    (b'"ADM-CID"9999L000000#foc7688[#foc7688|1101 01 007]', b"9999L000000#foc7688"),
    (b'"NULL"0000R0L0#1[]', b"0000R0L0#1"),
    (b'"SIA-DCS"0001L0#AAAA[#BBBB|NBA1/FA2]', b"0001L0#AAAA"),
    (b'"SIA-DCS"0001L0#AAAA[#BBBB|NBA1][I"quoted"0001L9#9999[x]', b"0001L0#AAAA"),
]


@pytest.mark.parametrize(("body", "echo"), ECHOES)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("eldes", [False, True])
def test_echo(body: bytes, echo: bytes, *, binary: bool, eldes: bool) -> None:
    """ACK and DUH repeat number, receiver, line (L0 if missing) and account as received, in the checksum's form."""
    one = decoder()
    last = signals(one.feed(envelope(body, binary_crc=binary, counts_cr=eldes)))[-1]
    for verdict in (STORED, DUPLICATE):
        assert one.answer(last, verdict, NOW) == envelope(b'"ACK"' + echo + b"[]", binary_crc=binary)
    for verdict in REFUSALS:
        assert one.answer(last, verdict, NOW) == envelope(b'"DUH"' + echo + b"[]", binary_crc=binary)


def test_nak_is_the_standards_fixed_text() -> None:
    """A report out of the time window gets the fixed NAK with our time, whatever its header was."""
    fixed = b'"NAK"0000R0L0A0[]_03:04:05,01-02-2026'
    assert answer(b'"ADM-CID"0001R1L2#1234[#1234|1101 01 007]', STALE) == envelope(fixed)
    assert answer(b'"NULL"0000L0#1234[]', STALE, binary=True) == envelope(fixed, binary_crc=True)


def test_answers_as_recorded() -> None:
    """Our ACK and NAK are exactly the bytes that other receivers sent for such reports (recordings N3 and J7)."""
    one = decoder()
    (signal,) = signals(one.feed(envelope(b'"SIA-DCS"1707L0#0000[#0000|Nri0/RP0000]')))
    assert one.answer(signal, STORED, NOW) == b'\nDAEF0012"ACK"1707L0#0000[]\r'
    then = datetime(2015, 4, 14, 16, 9, 9, tzinfo=UTC)
    assert one.answer(signal, STALE, then) == b'\n3C830025"NAK"0000R0L0A0[]_16:09:09,04-14-2015\r'


def test_only_the_last_part_is_answered() -> None:
    """Several events in one frame make several signals; the frame is answered once."""
    one = decoder()
    parts = signals(one.feed(envelope(b'"SIA-DCS"0001L0#1234[#1234|NBA1/FA2|OQA3]')))
    assert [(part.part, part.parts, part.event.code) for part in parts] == [(1, 3, "BA"), (2, 3, "FA"), (3, 3, "QA")]
    assert {part.raw for part in parts} == {parts[0].raw}
    assert [one.answer(part, STORED, NOW) for part in parts][:2] == [b"", b""]
    assert one.answer(parts[2], STORED, NOW) == envelope(b'"ACK"0001L0#1234[]')
    assert one.answer(parts[0], STALE, NOW) == b""
    assert len({part.identity for part in parts}) == 3


@pytest.mark.parametrize("key", [OLD, Key(name="192", secret=bytes(range(24))), NEW])
@pytest.mark.parametrize("caller", [HOME, FAR])
@pytest.mark.parametrize("binary", [False, True])
def test_sealed_report_gets_a_sealed_acknowledgement(key: Key, caller: AccountId, *, binary: bool) -> None:
    """*ACK opens under the report's key, has our time at its very end, and echoes the header."""
    raw = build("ADM-CID", "0007", caller, DATA, timestamp=NOW, key=key.secret, binary_crc=binary)
    one = decoder(key)
    (signal,) = signals(one.feed(raw))
    assert signal.sealed_with == key.name
    assert signal.sent_at == NOW
    later = NOW + timedelta(seconds=1)
    reply = parse(one.answer(signal, STORED, later), [key])
    assert isinstance(reply, Frame)
    assert (reply.token, reply.sealed, reply.sequence, reply.id, reply.data) == ("ACK", True, "0007", caller, b"")
    assert reply.timestamp == later
    assert ("binary-crc" in reply.quirks) is binary


def test_sealed_acknowledgements_differ() -> None:
    """The pad is random, so two acknowledgements of one report differ."""
    one = decoder(OLD)
    (signal,) = signals(one.feed(build("NULL", "0000", HOME, b"", timestamp=NOW, key=OLD.secret)))
    assert one.answer(signal, STORED, NOW) != one.answer(signal, STORED, NOW)


def test_refused_sealed_report_is_answered_in_clear() -> None:
    """NAK and DUH are never sealed."""
    one = decoder(OLD)
    (signal,) = signals(one.feed(build("ADM-CID", "0007", HOME, DATA, timestamp=NOW, key=OLD.secret)))
    assert one.answer(signal, STALE, NOW) == envelope(b'"NAK"0000R0L0A0[]_03:04:05,01-02-2026')
    assert one.answer(signal, REFUSALS[0], NOW) == envelope(b'"DUH"0007L0#1234[]')


def test_rotation() -> None:
    """During a rotation the report is acknowledged under the key that opened it, the new one or the old one."""
    for key in (OLD, NEW):
        one = decoder(NEW, OLD)
        (signal,) = signals(one.feed(build("ADM-CID", "0007", HOME, DATA, timestamp=NOW, key=key.secret)))
        assert signal.sealed_with == key.name
        assert isinstance(parse(one.answer(signal, STORED, NOW), [key]), Frame)


def test_key_that_is_gone() -> None:
    """If the key was removed between report and answer, there is no answer, so the terminal repeats its report."""
    signal = signal_of(build("ADM-CID", "0007", HOME, DATA, timestamp=NOW, key=OLD.secret), OLD)
    assert decoder(NEW).answer(signal, STORED, NOW) == b""


@pytest.mark.parametrize(("keys", "hint"), [((), "vetlla keys set"), ((NEW,), "wrong")])
def test_frames_that_cannot_be_opened(keys: tuple[Key, ...], hint: str) -> None:
    """Without a key, or with a wrong one, the frame is evidence with account and remedy, and DUH is sent in clear."""
    raw = build("ADM-CID", "0007", FAR, DATA, timestamp=NOW, key=OLD.secret)
    reject, reply = items_of(raw, *keys)
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.id, reject.raw) == (Reason.UNDECRYPTABLE, FAR, raw[:-1])
    assert hint in reject.text
    assert reply == Reply(data=envelope(b'"DUH"0007RC0FFDL77#080027E62A64[]'))


@pytest.mark.parametrize("bad", ["checksum", "cut"])
def test_damage_gets_no_answer(bad: str) -> None:
    """A damaged frame is kept as evidence and not answered at all."""
    raw = {
        "checksum": build("ADM-CID", "0001", HOME, DATA).replace(b"1101", b"1102"),
        "cut": build("ADM-CID", "0001", HOME, DATA)[:-2],
    }[bad]
    (item,) = items_of(raw)
    assert isinstance(item, Reject)


@pytest.mark.parametrize("token", ["ACK", "NAK", "DUH"])
@pytest.mark.parametrize("key", [None, OLD])
def test_replies_are_never_answered(token: str, key: Key | None) -> None:
    """A receiver's reply that comes to us is no report, and an answer to it could echo for ever."""
    raw = build(token, "0001", HOME, b"", timestamp=NOW, key=key.secret if key else None)
    (item,) = items_of(raw, OLD)
    assert isinstance(item, Reject)
    assert (item.reason, item.id) == (Reason.UNSUPPORTED, HOME)


def test_identity_of_a_retry() -> None:
    """A retry has the identity of its report; a new time, pad, blocks or path do not change it."""
    report = signal_of(build("ADM-CID", "0007", HOME, DATA)).identity
    assert len(report) == 16
    retries = [
        build("ADM-CID", "0007", HOME, DATA, timestamp=NOW, key=OLD.secret),
        build("ADM-CID", "0007", HOME, DATA, timestamp=NOW + timedelta(seconds=40), key=OLD.secret),
        build("ADM-CID", "0007", HOME, DATA, extended=[b"H03:04:05,01-02-2026"], timestamp=NOW, binary_crc=True),
    ]
    assert {signal_of(raw, OLD).identity for raw in retries} == {report}
    upper, lower = (signal_of(build("ADM-CID", "0007", AccountId("", "0", text), DATA)) for text in ("BEEF", "beef"))
    assert upper.identity == lower.identity


def test_identity_of_another_report() -> None:
    """Another number, data, token, account, line or receiver is another report."""
    others = [
        build("ADM-CID", "0007", HOME, DATA),
        build("ADM-CID", "0008", HOME, DATA),
        build("ADM-CID", "0007", HOME, b"#1234|1101 01 008"),
        build("SIA-DCS", "0007", HOME, DATA),
        build("ADM-CID", "0007", AccountId("", "0", "1235"), DATA),
        build("ADM-CID", "0007", AccountId("", "1", "1234"), DATA),
        build("ADM-CID", "0007", AccountId("1", "0", "1234"), DATA),
    ]
    assert len({signal_of(raw).identity for raw in others}) == len(others)


@pytest.mark.parametrize(("token", "sequence"), [("NULL", "0001"), ("XNM", "0001"), ("ADM-CID", "0000")])
def test_no_identity(token: str, sequence: str) -> None:
    """Heartbeats and unnumbered messages are never duplicates."""
    assert signal_of(build(token, sequence, HOME, DATA)).identity == b""


def test_plain_report_makes_no_details() -> None:
    """The plain report of a plain terminal has no details."""
    signal = signal_of(build("SIA-DCS", "0001", HOME, b"#1234|Nri1/PA7"))
    assert (signal.details, signal.measurements, signal.position) == ({}, {}, None)
    assert (signal.protocol, signal.id, signal.event.kind) == ("dc09", HOME, Kind.PERSONAL_EMERGENCY)


def test_text_of_event_and_text_of_block() -> None:
    """If event and block both have a text, neither is lost."""
    signal = signal_of(build("SIA-DCS", "0001", HOME, b"#1234|NPA7^bath^", extended=[b"Icall her daughter"]))
    assert (signal.text, signal.details) == ("bath / call her daughter", {})


def test_key_block_is_not_repeated() -> None:
    """Of a key block only the fact that it came is kept."""
    signal = signal_of(build("SIA-DCS", "0001", HOME, b"#1234|NPA7", extended=[b"Kdeadbeefdeadbeefdeadbeefdeadbeef"]))
    assert signal.details == {"key": "present"}


def test_no_secret_in_any_output() -> None:
    """No reject, reply or answer holds a key or the Python form of one."""
    secrets = [
        text
        for key in (OLD, NEW)
        for text in (key.secret, key.secret.hex().encode(), key.secret.hex().upper().encode())
    ]
    raw = build("ADM-CID", "0007", HOME, DATA, timestamp=NOW, key=OLD.secret)
    one = decoder(OLD)
    (signal,) = signals(one.feed(raw))
    said = [one.answer(signal, verdict, NOW) for verdict in (STORED, STALE, *REFUSALS)]
    for item in items_of(raw, NEW):
        match item:
            case Reject():
                said.append(item.text.encode())
            case Reply():
                said.append(item.data)
    assert not [text for text in said for secret in secrets if secret in text]
    assert not [text for text in said if b"None" in text or b"b'" in text]


def test_hangup_comes_once_and_frames_still_count() -> None:
    """A foreign peer gives one reject and one hang-up; a frame that follows is a report all the same."""
    one = decoder()
    items = one.feed(b"GET / HTTP/1.1\r\n") + one.feed(b"GET / HTTP/1.1\r\n\r\n")
    items += one.feed(build("ADM-CID", "0007", HOME, DATA)) + one.feed(b"more") + one.finish()
    assert [type(item) for item in items] == [Reject, Hangup, Signal]


def test_the_time_of_a_clock_that_was_never_set_proves_no_retry() -> None:
    """Such a time stands still, so all presses have it. A sealed frame keeps it, because policy judges by it."""
    unset, good = datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert signal_of(build("ADM-CID", "0001", HOME, DATA, timestamp=unset)).sent_at is None
    assert signal_of(build("ADM-CID", "0001", HOME, DATA, timestamp=good)).sent_at == good
    assert signal_of(build("ADM-CID", "0001", HOME, DATA, timestamp=unset, key=OLD.secret), OLD).sent_at == unset


@pytest.mark.parametrize("data", [b"#1234|Nri1/PA01", b"#1234|1101 00 003", b"1101 00 003"])
def test_a_call_in_a_heartbeat_is_a_call(data: bytes) -> None:
    """A heartbeat is counted, not stored, so an event that a panel sends in one would be acknowledged and lost."""
    assert signal_of(build("NULL", "0000", HOME, data)).event.kind is Kind.PERSONAL_EMERGENCY


@pytest.mark.parametrize("data", [b"", b"NULL", b"#1234", b"#1234|", b"#1234|NULL", b"OK", b"#1234|Nri0/RP00"])
def test_data_that_a_heartbeat_may_have(data: bytes) -> None:
    """A heartbeat with an account, a word or a sign of life as data stays a heartbeat."""
    assert signal_of(build("NULL", "0000", HOME, data)).event.kind is Kind.HEARTBEAT


@pytest.mark.parametrize("token", ["ADM-CID", "SIA-DCS", "CSV-XY", "NULL", "XNM"])
def test_a_report_that_no_key_opens_may_be_a_call(token: str) -> None:
    """Only a frame of two blocks with a heartbeat's token cannot be a call."""
    sealed = build(token, "0001", HOME, b"", timestamp=NOW, key=OLD.secret)
    for keys in ([], [NEW]):
        reject, reply = items_of(sealed, *keys)
        assert isinstance(reject, Reject)
        assert isinstance(reply, Reply)
        assert reject.reason is Reason.UNDECRYPTABLE
        assert reject.kind is (Kind.FAULT if token in {"NULL", "XNM"} else Kind.UNREADABLE)
