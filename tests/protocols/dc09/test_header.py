"""Headers are read as the standard and as devices write them, and the answer repeats them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastcrc.crc16 import arc
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.rigs.recordings import decode, signals
from vetlla.domain.signals import STORED, AccountId, Key, Kind, Reason, Reject, Reply, Signal, refused
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import MAX_BODY, Frame, envelope, parse

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Key(name="spring", secret=bytes(range(16)))


def decoder(*keys: Key) -> Dc09Decoder:
    return Dc09Decoder(lambda _: keys)


def frame_of(body: bytes) -> Frame:
    frame = parse(envelope(body))
    assert isinstance(frame, Frame)
    return frame


HEADERS = [
    (b'"SIA-DCS"0001#7788[', ("0001", AccountId("", "", "7788"))),
    (b'"SIA-DCS"0001L#7788[', ("0001", AccountId("", "", "7788"))),
    (b'"SIA-DCS"0001R2L3[', ("0001", AccountId("2", "3", ""))),
    (b'"SIA-DCS"0001[', ("0001", AccountId("", "", ""))),
    (b'"SIA-DCS"[', ("", AccountId("", "", ""))),
    (b'"SIA-DCS"1L0#7788[', ("1", AccountId("", "0", "7788"))),
    (b'"SIA-DCS"123456L0#7788[', ("123456", AccountId("", "0", "7788"))),
    (b'"SIA-DCS"#7788L0R1[', ("", AccountId("1", "0", "7788"))),
    (b'"SIA-DCS"0001L0R1#7788[', ("0001", AccountId("1", "0", "7788"))),
    (b'"SIA-DCS"0001l0r1#7788[', ("0001", AccountId("1", "0", "7788"))),
    (b'"SIA-DCS"0001#CAFEL1[#CAFEL1|NPA2', ("0001", AccountId("", "", "CAFEL1"))),
    (b'"SIA-DCS"0001L0#' + b"7" * 65 + b"[", ("0001", AccountId("", "0", ""))),
    (b'"SIA-DCS"0001L0#77\x1b[2J[', ("0001", AccountId("", "0", ""))),
    (b'"NAK"0000R0L0A0[', ("0000", AccountId("0", "0", "0"))),
]


@pytest.mark.parametrize(("body", "read"), HEADERS)
def test_fields_of_a_header_are_read(body: bytes, read: tuple[str, AccountId]) -> None:
    """Number, receiver, line and account are found in any order; a missing part, or an invalid account, is empty."""
    frame = frame_of(body + b"]")
    assert (frame.sequence, frame.id) == read


def test_quirks_name_odd_fields() -> None:
    """Quirks show an installer what the device leaves out or writes otherwise; a standard header has no quirk."""
    assert frame_of(b'"SIA-DCS"0001R1L0#7788[]').quirks == ()
    assert frame_of(b'"SIA-DCS"0001L0[]').quirks == ("no-account",)
    assert frame_of(b'"SIA-DCS"0001L[]').quirks == ("empty-line", "no-account")
    assert frame_of(b'"SIA-DCS"00001L0#7788[]').quirks == ("odd-header",)
    assert frame_of(b'"sia-dcs"0001L0#7788[]').quirks == ("odd-header",)
    assert frame_of(b'"NAK"0000R0L0A0[]_03:04:05,01-02-2026').quirks == ()


@pytest.mark.parametrize(
    ("data", "account"),
    [
        (b"#7788|NPA2", "7788"),
        (b"7788|NPA2", "7788"),
        (b"#7788", "7788"),
        (b"NPA2", ""),
        (b"|NPA2", ""),
        (b"#77\x1b88|NPA2", ""),
        (b"#" + b"7" * 65 + b"|NPA2", ""),
    ],
)
def test_account_of_the_data(data: bytes, account: str) -> None:
    """Without an account in the header that of the data is the caller; without either the report has no account."""
    (signal,) = signals(decoder().feed(envelope(b'"SIA-DCS"0001L0[' + data + b"]")))
    assert signal.id == AccountId("", "0", account)
    assert signal.event.kind in {Kind.PERSONAL_EMERGENCY, Kind.UNREADABLE}


def test_header_decides_who_is_calling() -> None:
    """An account in the header counts, however odd it is; the account in the data is a detail."""
    (signal,) = signals(decoder().feed(envelope(b'"SIA-DCS"0001L0#CASA-7[#7788|NPA2]')))
    assert (signal.id.account, signal.details["account_in_data"]) == ("CASA-7", "7788")


@pytest.mark.parametrize("body", [b'"SIA-DCS"0001L0[NPA2]', b'"SIA-DCS"L0#7788[NPA2]', b'"SIA-DCS"00000L0#7788[NPA2]'])
def test_no_identity(body: bytes) -> None:
    """Reports without an account or a number are never repetitions, because two homes may send the same words."""
    (signal,) = signals(decoder().feed(envelope(body)))
    assert signal.identity == b""


def test_sealed_without_an_account() -> None:
    """Without an account there is no key, so the header that came is answered with DUH."""
    reject, reply = decoder().feed(envelope(b'"*SIA-DCS"0001L[' + b"00" * 16))
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.id) == (Reason.UNDECRYPTABLE, None)
    assert reply == Reply(data=envelope(b'"DUH"0001L0[]'))


NAMED = {Reason.UNSUPPORTED, Reason.UNDECRYPTABLE, Reason.FOREIGN, Reason.BAD_LENGTH}
TORN = {Reason.BAD_CHECKSUM, Reason.TRUNCATED, Reason.MALFORMED}
"""A body with a CR in which another frame seems to open ends at its CR, because the next frame must not wait for it.
What follows the CR then belongs to no frame, which is a reject of its own."""
bodies = st.lists(
    st.one_of(
        st.sampled_from([b"SIA-DCS", b"ADM-CID", b"NULL", b"ACK", b'"', b"*", b"0001", b"L0", b"R1", b"#", b"1234"]),
        st.sampled_from([b"[", b"]", b"|", b"#1234|NPA1", b"1101 01 001", b"_03:04:05,01-02-2026", b"\r", b"\n", b" "]),
        st.binary(max_size=4),
        st.binary(min_size=200, max_size=300),
    ),
    max_size=12,
).map(lambda parts: (b'"' + b"".join(parts))[:MAX_BODY])


@settings(max_examples=300, deadline=None)
@example(body=b'"00010001"\r', binary=False)
@example(body=b'"\rSIA-DCS00010001"', binary=False)
@given(body=bodies, binary=st.booleans())
def test_every_body_is_a_report(body: bytes, *, binary: bool) -> None:
    """Any frame whose checksum is right gives a signal that is answered, or a reject with a known reason."""
    one, whole = decoder(KEY), body + b"]"
    # A checksum that fits a part of the body by chance (one in 65,536) makes that part the frame.
    assume(not any(arc(whole[:end]) == arc(whole) for end, byte in enumerate(whole) if byte in b"\0\n\r"))
    items = decode(one, [envelope(whole, binary_crc=binary)])
    assert items
    for item in items:
        if isinstance(item, Signal) and item.part == item.parts:
            assert parse(one.answer(item, STORED, NOW))
            assert one.answer(item, refused(Reason.UNKNOWN_ACCOUNT), NOW).startswith(b"\n")
        elif isinstance(item, Reject):
            assert item.reason in NAMED | (TORN if b"\r" in body else set())
