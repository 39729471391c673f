"""Two public libraries of other authors, siadc09 and my-dc09-spt, are independent encoders and decoders.

The receiver reads their frames with the same meaning, in clear and sealed, and they accept its answers. siadc09 1.0.1
does not know the classic NAK ("A0") and reads qualifier 3 as unknown, so these are not tested with it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from my_dc09_spt.msg.dc03_msg import dc03_msg
from my_dc09_spt.msg.dc05_msg import dc05_msg
from my_dc09_spt.msg.dc09_msg import dc09_msg
from siadc09 import account as sia_account
from siadc09 import message as sia_message
from siadc09 import xdata as sia_xdata

from tests.rigs.recordings import signals
from vetlla.domain.signals import STORED, AccountId, Event, Key, Kind, Phase, Reason, Signal, refused
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import build

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRETS = [None, bytes(range(16)), bytes(range(24)), bytes(range(32))]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FALL = Event(Kind.FALL, Phase.NEW, "103", "contact_id")
MEDICAL = Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "MA", "sia_dcs")


def received(frame: bytes, secret: bytes | None, *, long_pad: bool = False) -> tuple[Signal, bytes]:
    """Return the signal that our decoder makes of a frame, and its acknowledgement once the signal is stored."""
    keys = [Key(name="shared", secret=secret, long_pad=long_pad)] if secret else []

    def lookup(_: AccountId) -> Sequence[Key]:
        return keys

    decoder = Dc09Decoder(lookup)
    (signal,) = signals(decoder.feed(frame))
    assert signal.sealed_with == ("shared" if secret else "")
    return signal, decoder.answer(signal, STORED, NOW)


# siadc09


def theirs(secret: bytes | None, token: str, sequence: int, data: bytes, extended: Sequence[bytes] = ()) -> bytes:
    """Return a frame as siadc09 encodes it."""
    caller = sia_account.Account(acct=0xBEEF, pref=0x12, rcvr=0xC0FFD, key=secret)
    config = {"idtoken": token, "seqno": sequence, "data": sia_xdata.Data(content=data), "timestamp": NOW}
    config["xdata"] = [sia_xdata.parse_xdata(block) for block in extended]
    return bytes(sia_message.EventMessage(caller, config=config).encode())


@pytest.mark.parametrize("secret", SECRETS)
def test_siadc09_reports(secret: bytes | None) -> None:
    """A fall with text and time of occurrence is read as siadc09 means it, and siadc09 takes our acknowledgement."""
    blocks = [b"Ino movement since", b"H03:00:00,01-02-2026", b"X002E10.5", b"Y41N23.1"]
    signal, answer = received(theirs(secret, "ADM-CID", 42, b"#BEEF|1103 01 007", blocks), secret, long_pad=True)
    assert (signal.event, signal.device, signal.area) == (FALL, "007", "01")
    assert (signal.id, signal.sequence) == (AccountId("C0FFD", "12", "BEEF"), "0042")
    assert (signal.text, signal.sent_at) == ("no movement since", NOW)
    assert signal.occurred_at == datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)
    assert signal.position is not None
    assert signal.position.longitude == pytest.approx(2.175)
    reply = sia_message.parse_frame(answer, secret)
    assert (reply.idtoken, reply.seq, reply.encrypted) == ("ACK", 42, secret is not None)
    assert (reply.account.acct, reply.account.pref, reply.account.rcvr) == (0xBEEF, 0x12, 0xC0FFD)
    assert reply.timestamp == (NOW if secret else None)


@pytest.mark.parametrize("secret", SECRETS)
def test_siadc09_heartbeats(secret: bytes | None) -> None:
    """Its null message is a heartbeat, which it seals without a bar after a pad of a whole block."""
    caller = sia_account.Account(acct=0x1234, key=secret)
    signal, answer = received(sia_message.NullMessage(caller).encode(), secret, long_pad=True)
    assert signal.event == Event(Kind.HEARTBEAT, Phase.STATUS, "NULL", "dc09")
    assert sia_message.parse_frame(answer, secret).idtoken == "ACK"


def test_siadc09_takes_our_duh() -> None:
    """Its parser takes our refusal."""
    decoder = Dc09Decoder(lambda _: [])
    (signal,) = signals(decoder.feed(theirs(None, "ADM-CID", 42, b"#BEEF|1103 01 007")))
    reply = sia_message.parse_frame(decoder.answer(signal, refused(Reason.UNKNOWN_ACCOUNT), NOW))
    assert (reply.idtoken, reply.seq) == ("DUH", 42)


@pytest.mark.parametrize("secret", SECRETS)
def test_siadc09_reads_what_we_build(secret: bytes | None) -> None:
    """siadc09 reads a frame of ours with the same meaning."""
    caller = AccountId("C0FFD", "12", "BEEF")
    frame = build("SIA-DCS", "0042", caller, b"#BEEF|Nri1/MA007", extended=[b"Ihelp"], timestamp=NOW, key=secret)
    message = sia_message.parse_frame(frame, secret)
    assert (message.idtoken, message.seq, message.timestamp) == ("SIA-DCS", 42, NOW)
    shown = str(message)
    assert "Medical Alarm" in shown
    assert "help" in shown


# my-dc09-spt


def dialled(secret: bytes | None, token: str, number: int, payload: str) -> tuple[Any, bytes]:
    """Return my-dc09-spt's own object and the frame it builds."""
    spt = dc09_msg("1234", key=secret, receiver=0xF, line=0x2)
    return spt, spt.dc09block(number, token, payload).encode("latin-1")


SPT_SECRETS = [None, bytes(range(16)), bytes(range(32))]
"""my-dc09-spt has no 192-bit keys."""


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("secret", SPT_SECRETS)
@pytest.mark.parametrize("code", ["103", "101", "602", "641"])
def test_spt_contact_id(secret: bytes | None, code: str) -> None:
    """A Contact ID report of my-dc09-spt with position is read as meant, and the library takes our acknowledgement."""
    payload = dc05_msg.dc05event("1234", {"code": code, "area": "01", "zone": "007"})
    payload += dc09_msg.dc09_extra({"lon": "2.1686", "lat": "41.3874", "battery_level": 80})
    spt, frame = dialled(secret, "ADM-CID", 42, payload)
    signal, answer = received(frame, secret, long_pad=True)
    assert (signal.event.code, signal.device, signal.area) == (code, "007", "01")
    assert signal.id == AccountId("F", "2", "1234")
    assert signal.position is not None
    assert (signal.position.longitude, signal.position.latitude) == (2.1686, 41.3874)
    assert signal.details == {"B": "80"}
    said, offset = spt.dc09answer(42, answer.decode())
    assert said == "ACK"
    assert (offset is not None) is (secret is not None)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("secret", SPT_SECRETS)
@pytest.mark.parametrize("flavor", ["", "xsia"])
def test_spt_sia(secret: bytes | None, flavor: str) -> None:
    """A SIA report of my-dc09-spt, with text in a block or as xSIA writes it, is read as meant."""
    params = {
        "code": "MA",
        "area": "1",
        "areaname": "Flat",
        "zone": "7",
        "zonename": "Bed",
        "text": "call",
        "time": "10:20:30",
    }
    payload = dc03_msg.dc03event("1234", params | {"flavor": flavor})
    spt, frame = dialled(secret, "SIA-DCS", 43, payload)
    signal, answer = received(frame, secret, long_pad=True)
    assert (signal.event, signal.device, signal.area) == (MEDICAL, "7", "1")
    assert signal.details["ri name"] == "Flat"
    assert signal.details["ti"] == "10:20:30"
    assert signal.text == "Bed / call"
    assert spt.dc09answer(43, answer.decode())[0] == "ACK"


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("secret", SPT_SECRETS)
def test_spt_polls(secret: bytes | None) -> None:
    """Its poll is a heartbeat, and it sets its clock from our NAK."""
    keys = [Key(name="shared", secret=secret)] if secret else []
    spt = dc09_msg("1234", key=secret)
    decoder = Dc09Decoder(lambda _: keys)
    (signal,) = signals(decoder.feed(spt.dc09poll().encode("latin-1")))
    assert signal.event.kind is Kind.HEARTBEAT
    assert spt.dc09answer(0, decoder.answer(signal, STORED, NOW).decode())[0] == "ACK"
    nak = decoder.answer(signal, refused(Reason.STALE_TIME), NOW).decode()
    said, offset = spt.dc09answer(0, nak)
    assert said == "NAK"
    assert offset is not None
