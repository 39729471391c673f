"""A protocol that does not belong on a port is named once; the port's own protocol is never taken for another."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.rigs.recordings import STREAMS, decode, good, recordings
from vetlla.domain.signals import AccountId, Hangup, Item, Key, Reason, Reject, Signal
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import build, envelope
from vetlla.protocols.framing.foreign import HEAD, recognise
from vetlla.protocols.registry import PROTOCOLS

HOME = AccountId("", "0", "1234")
ALARM = build("ADM-CID", "0001", HOME, b"#1234|1101 01 007")

FOREIGN = [
    (b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", "HTTP"),
    (b"POST /api HTTP/1.1\r\n", "HTTP"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"),
    (b"CONNECT home:443 HTTP/1.1\r\n", "HTTP"),
    (bytes.fromhex("16030100f1010000ed0303") + bytes(40), "TLS"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    (b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\n", "SIP"),
    (b"REGISTER sip:192.0.2.1 SIP/2.0\r\n", "SIP"),
    (b"*1\r\n$4\r\nPING\r\n", "Redis"),
    (b"AUTH secret\r\n", "Redis"),
    (bytes.fromhex("0300002b26e00000000000"), "RDP"),
    (bytes.fromhex("101400044d51545404020078"), "MQTT"),
    (bytes.fromhex("0501815968"), "DC-03 link"),
    (b"F#001234\r", "DC-03 link"),
    (b"SR0001L0001    006969XX    [ID00000000]\r", "Aritech"),
    (b"LFQ=600#CRC=1234##", "Aritech"),
    (b"_" + bytes(27) + ALARM, "DSC"),
    (b"5011 187037E13001004\x14", "Sur-Gard"),
    (b"5011001 187037E13001004\x14", "Sur-Gard"),
    (b"S011[#1234|Nri1/BA01]\x14", "Sur-Gard"),
    (b"1011           @    \x14", "Sur-Gard"),
    (b"\n00 OKAY @\r", "Ademco 685"),
    (b"\n01 1234 18 E131 01 C003 \r", "Ademco 685"),
    (b"a011 123418E13001015\x14", "Radionics 6500"),
    (b"\r\n\r\nGET / HTTP/1.0\r\n", "HTTP"),
    (envelope(b'"*VIS-BBA"0001L0#001234[00112233]'), "Visonic"),
]


LINES = [
    (b"1,user,1234,E,101\r\n", "CSV-IP"),
    (b"861234567890123,8934076500002589012F,23,v1.4\r\n", "CSV-IP"),
    (b"REG,ALTAIR,4G,21407\n", "CSV-IP"),
    (b"PING\r\n", "Redis"),
]
"""Lines of another protocol, or of a modem in front of the panel."""


def decoder() -> Dc09Decoder:
    def lookup(_: AccountId) -> list[Key]:
        return []

    return Dc09Decoder(lookup)


def split(items: list[Item]) -> tuple[list[Reject], list[Hangup], list[Signal]]:
    return (
        [item for item in items if isinstance(item, Reject)],
        [item for item in items if isinstance(item, Hangup)],
        [item for item in items if isinstance(item, Signal)],
    )


@pytest.mark.parametrize(("data", "name"), FOREIGN, ids=[name for _, name in FOREIGN])
def test_named_once(data: bytes, name: str) -> None:
    """A foreign protocol gives one reject with its name and a remedy, and one hang-up, whatever else it sends."""
    rejects, hangups, _ = split(decode(decoder(), [data, data, b"more"]))
    assert [reject.reason for reject in rejects] == [Reason.FOREIGN]
    assert [hangup.text for hangup in hangups] == [rejects[0].text]
    assert name in rejects[0].text
    assert "not DC-09" in rejects[0].text
    assert rejects[0].raw in data


@pytest.mark.parametrize(("data", "name"), FOREIGN, ids=[name for _, name in FOREIGN])
def test_any_cut(data: bytes, name: str) -> None:
    """The protocol is also named if its bytes come one by one."""
    whole = decode(decoder(), [data])
    assert decode(decoder(), [data[at : at + 1] for at in range(len(data))]) == whole
    assert name in str(whole[0])


@pytest.mark.parametrize(("data", "name"), FOREIGN, ids=[name for _, name in FOREIGN])
def test_alarm_after_foreign_bytes_is_taken(data: bytes, name: str) -> None:
    """A good frame after foreign bytes is an alarm all the same, although the receiver hangs up."""
    _, _, taken = split(decode(decoder(), [data + ALARM]))
    assert taken[-1].event.code == "101", name


@pytest.mark.parametrize("port", STREAMS)
@pytest.mark.parametrize(("line", "name"), LINES)
def test_a_line_that_a_modem_may_have_sent(line: bytes, name: str, port: str) -> None:
    """The decoder takes the report after such a line and keeps the connection, however much the modem sends."""
    recording = good(port)[0]
    for times, cut in itertools.product((1, 2, 9), (1, 7, 1000)):
        stream = line * times + recording.whole
        fresh = STREAMS[port].make(recording.keys_of)
        rejects, hangups, taken = split(decode(fresh, [stream[at : at + cut] for at in range(0, len(stream), cut)]))
        assert not hangups
        assert len(taken) >= len(recording.expect_items), (name, recording.name, rejects)


@pytest.mark.parametrize(("line", "name"), LINES)
def test_a_line_that_no_report_followed(line: bytes, name: str) -> None:
    """The decoder names the protocol once, after it has seen enough bytes, and hangs up on no peer."""
    for chunks in ([line], [line] * 9, [line * 9], [line[:3], line[3:], b"more"]):
        rejects, hangups, taken = split(decode(decoder(), chunks))
        assert [reject.reason for reject in rejects] == [Reason.FOREIGN]
        assert f"this is {name}, not DC-09: a modem may have sent this line" in rejects[0].text
        assert not hangups
        assert not taken


@pytest.mark.parametrize(
    "before", [b"", b"\0", b"\r\n", b"\n\n", b"\0\0\0\r", b"  ", b"\xff\xfe", b"AT\r", b"+++", b"0", b"G"]
)
def test_frames_are_not_foreign(before: bytes) -> None:
    """No frame is taken for another protocol, whatever bytes come before it."""
    for recording in recordings("dc09"):
        if recording.is_good:
            _, hangups, taken = split(decode(recording.decoder(), [before + recording.data]))
            assert not hangups, recording.name
            assert len(taken) == len(recording.expect_items), recording.name


def test_not_at_the_start_is_not_foreign() -> None:
    """A good frame has shown the peer's protocol. Later bytes are line noise, not another protocol."""
    rejects, hangups, taken = split(decode(decoder(), [ALARM, b"GET / HTTP/1.1\r\n", ALARM]))
    assert [reject.reason for reject in rejects] == [Reason.MALFORMED]
    assert (len(hangups), len(taken)) == (0, 2)


def test_only_the_head_is_compared() -> None:
    """Bytes beyond the head are not compared."""
    assert recognise(b" " * HEAD + b"GET / HTTP/1.1") is None
    assert recognise(b"") is None


LINE_RECEIVERS = {"ademco685", "radionics6500", "surgard"}
ALIKE = {"surgard", "radionics6500"}
"""Protocols that have frames in common, so that the first bytes do not tell one from the other."""
ELSEWHERE = {"asterisk", "scaip"}
"""Protocols whose messages come in files, or in the bodies of SIP, so that none comes to a port as it is recorded."""
OURS = [
    (port, caller)
    for port in STREAMS
    for caller in PROTOCOLS
    if caller not in ELSEWHERE and port != caller and {port, caller} != ALIKE
]


@pytest.mark.parametrize(("port", "caller"), OURS)
def test_our_protocols_know_each_other(port: str, caller: str) -> None:
    """The first bytes of a device at another protocol's port give a reject that names its protocol, and a hang-up."""
    for recording in good(caller):
        fresh = STREAMS[port].make(lambda _: [])
        rejects, hangups, taken = split(decode(fresh, [recording.whole[at : at + 1] for at in range(96)]))
        reason = Reason.FOREIGN if caller in LINE_RECEIVERS else Reason.WRONG_PORT
        assert [reject.reason for reject in rejects] == [reason], recording.name
        assert [hangup.text for hangup in hangups] == [rejects[0].text], recording.name
        assert not taken, recording.name
        assert ", not " in rejects[0].text
        assert re.search("point (?:the device|it) at the port", rejects[0].text)


@pytest.mark.parametrize("before", [b"", b"\0", b"\r\n", b"  "])
@pytest.mark.parametrize("port", STREAMS)
def test_no_protocol_is_foreign_at_its_own_port(port: str, before: bytes) -> None:
    """No good frame is rejected at its own port."""
    for recording in good(port):
        fresh = STREAMS[port].make(recording.keys_of)
        _, hangups, taken = split(decode(fresh, [before + recording.whole]))
        assert not hangups, recording.name
        assert len(taken) >= len(recording.expect_items), recording.name


def test_vehicle_trackers() -> None:
    """GT06 has a name of its own and no decoder; documents of watch makers confuse it with the bracket protocol."""
    found = recognise(bytes.fromhex("78780d010123456789012345000bcbe70d0a"))
    assert found is not None
    assert "GT06" in found.name
