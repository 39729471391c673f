"""The DC-09 envelope: a built frame can be read, a read frame can be built, and a sealed frame can be opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.recordings import recordings
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Key, Reason
from vetlla.protocols.dc09.frame import (
    MAX_BODY,
    MAX_FRAME,
    Frame,
    build,
    envelope,
    parse,
    unseal,
)
from vetlla.protocols.dc09.sealing import seal
from vetlla.protocols.dc09.times import read_time, write_time
from vetlla.protocols.framing.damage import Damage

HOME = AccountId("", "0", "1234")
AT = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
KEY = Key(name="home", secret=bytes(range(16)))
OTHER = Key(name="other", secret=bytes(16))
DATA = b"#1234|1101 01 007"

HEX = "0123456789ABCDEFabcdef"
inside = st.binary(max_size=60).map(lambda b: b.translate(None, b"[]\r|"))
moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - made aware beside it
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)
callers = st.builds(
    AccountId,
    receiver=st.text(HEX, max_size=6),
    line=st.text(HEX, min_size=1, max_size=6),
    account=st.text(HEX, min_size=1, max_size=16),
)
secrets = st.sampled_from((16, 24, 32)).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def pad(size: int) -> bytes:
    return b"p" * size


def frame_of(raw: bytes, *keys: Key) -> Frame:
    frame = parse(raw, keys)
    assert isinstance(frame, Frame), frame
    return frame


def damage_of(raw: bytes, *keys: Key) -> Damage:
    damage = parse(raw, keys)
    assert isinstance(damage, Damage), damage
    return damage


@settings(max_examples=150, deadline=None)
@given(
    token=st.sampled_from(("SIA-DCS", "ADM-CID", "NULL", "ACK", "SCN-S24")),
    sequence=st.integers(0, 9999).map("{:04d}".format),
    caller=callers,
    data=inside,
    extended=st.lists(inside, max_size=3),
    timestamp=st.none() | moments,
    secret=st.none() | secrets,
    binary_crc=st.booleans(),
)
def test_round_trip(  # noqa: PLR0917 - Hypothesis fills them by name
    token: str,
    sequence: str,
    caller: AccountId,
    data: bytes,
    extended: list[bytes],
    timestamp: datetime | None,
    secret: bytes | None,
    binary_crc: bool,  # noqa: FBT001 - as above
) -> None:
    """A frame that was read and built again is the same byte for byte, in clear and under keys of every size.

    The CR is not part of the frame that was read, because the frame is whole without it.
    """
    at = timestamp or (AT if secret else None)
    raw = build(
        token, sequence, caller, data, extended=extended, timestamp=at, key=secret, binary_crc=binary_crc, random=pad
    )
    frame = frame_of(raw, *([Key(name="k", secret=secret)] if secret else []))
    assert frame.raw == raw[:-1]
    assert (frame.token, frame.sequence, frame.id, frame.data) == (token, sequence, caller, data)
    assert frame.sealed is (secret is not None)
    again = build(
        frame.token,
        frame.sequence,
        frame.id,
        frame.data,
        extended=frame.extended,
        timestamp=frame.timestamp,
        key=secret,
        binary_crc="binary-crc" in frame.quirks,
        random=pad,
    )
    assert again == raw


def test_recordings_round_trip() -> None:
    """The body of every recorded frame, put into an envelope of its own form, gives back its header and checksum."""
    seen = 0
    for recording in recordings("dc09"):
        frame = parse(recording.data) if recording.is_frame else None
        if not isinstance(frame, Frame) or {"wrong-length", "no-lf"} & set(frame.quirks):
            continue
        seen += 1
        binary = "binary-crc" in frame.quirks
        body = frame.raw[7 if binary else 9 :].removesuffix(b"\r")
        rebuilt = envelope(body, binary_crc=binary, counts_cr="crc-counts-cr" in frame.quirks).removesuffix(b"\r")
        raw = frame.raw.removesuffix(b"\r")
        assert rebuilt == raw or rebuilt.lower() == raw.lower()  # the header's hex may be lower case
    assert seen > 40


def test_checksum_is_crc_16_arc() -> None:
    """The checksum of 123456789 is BB3D, as the standard's table gives when its misprint is corrected."""
    assert envelope(b"123456789") == b"\nBB3D0009123456789\r"
    assert envelope(b"123456789", binary_crc=True) == b"\n\xbb\x3d0009123456789\r"


def test_build_as_the_annex() -> None:
    """The standard's own example comes out byte for byte."""
    expected = b'\n8C860043"SIA-DCS"9876R579BDFL789ABC#123456A[#123456A|NFA129][M1234567890AB]\r'
    caller = AccountId("579BDF", "789ABC", "123456A")
    assert build("SIA-DCS", "9876", caller, b"#123456A|NFA129", extended=[b"M1234567890AB"]) == expected


def test_no_line_digits_are_written_as_l0() -> None:
    """A caller without line digits is written with the line that the standard prescribes for this case."""
    assert b'"NULL"0000L0#1234[]' in build("NULL", "0000", AccountId("", "", "1234"), b"")


def test_sealed_needs_a_time() -> None:
    """A sealed frame without a time is not built, because it would look like one under a wrong key."""
    with pytest.raises(UsageError, match="timestamp"):
        build("NULL", "0000", HOME, b"", key=KEY.secret)


def test_too_long_to_build() -> None:
    """The three digits of the length bound the size of a frame."""
    assert len(envelope(b"x" * MAX_BODY)) == MAX_FRAME
    with pytest.raises(UsageError, match="4096"):
        envelope(b"x" * (MAX_BODY + 1))
    with pytest.raises(UsageError, match="4096"):
        envelope(b"x" * MAX_BODY, counts_cr=True)


def test_seal_pads_with_less_than_a_block() -> None:
    """The pad fills the first block, so that the bar stands there, and holds no character that ends it."""
    for size in range(33):
        asked: list[int] = []

        def brackets(count: int, asked: list[int] = asked) -> bytes:
            asked.append(count)
            return (b"[|]" * 6)[:count]

        text = seal(b"x" * size + b"]_10:00:00,01-02-2026", KEY.secret, brackets)
        assert 0 <= asked[0] < 16
        assert text == text.upper()
        frame = frame_of(envelope(b'"*SIA-DCS"0001L0#1234[' + text), KEY)
        assert frame.data == b"x" * size


def test_two_keys_during_a_rotation() -> None:
    """Both keys open a frame, and the frame names the key that opened it."""
    raw = build("ADM-CID", "0001", HOME, DATA, timestamp=AT, key=OTHER.secret)
    assert frame_of(raw, KEY, OTHER).key_name == "other"
    assert frame_of(raw, OTHER, KEY).key_name == "other"
    assert damage_of(raw, KEY).reason is Reason.UNDECRYPTABLE


def test_sealed_stays_sealed_without_keys() -> None:
    """Without keys the header of a sealed frame is still read."""
    frame = frame_of(build("ADM-CID", "0001", HOME, DATA, timestamp=AT, key=KEY.secret))
    assert frame.sealed
    assert not frame.key_name
    assert frame.id == HOME
    assert frame.timestamp is None


@pytest.mark.parametrize(
    ("inside_text", "why"),
    [
        (b"pppp|#1234|1101 01 007", "no ] at all"),
        (b"ppp|#1234|1101 01 007][Ix]", "no time"),
        (b"p|#1234|1101 01 007]_25:00:00,01-02-2026", "an invalid time"),
        (b"|#1234|1101 01 007]_10:00:00,01-02-2026 ", "bytes after the time"),
    ],
)
def test_text_that_proves_no_key(inside_text: bytes, why: str) -> None:
    """A text that does not end as in the standard does not count as opened."""
    text = inside_text.rjust(-(-len(inside_text) // 16) * 16, b"q")
    assert damage_of(sealed(text), KEY).reason is Reason.UNDECRYPTABLE, why


def sealed(text: bytes) -> bytes:
    """Return a frame with this whole text, including the pad, sealed."""
    encryptor = Cipher(AES(KEY.secret), CBC(bytes(16))).encryptor()
    return envelope(b'"*SIA-DCS"0001L0#1234[' + encryptor.update(text).hex().encode())


@pytest.mark.parametrize("pad_bytes", [b"", b"p", b"\xff\xfe\r\n~", b"0123456789abcdef", bytes(range(0x20, 0x3C))])
def test_pads_of_any_length(pad_bytes: bytes) -> None:
    """Any bytes before the first bar are pad, from none to 31 of them; the bars in the data stay."""
    data = b"#1234|NRP" + b"0" * (-(len(pad_bytes) + 31) % 16)
    assert frame_of(sealed(pad_bytes + b"|" + data + b"]_10:00:00,01-02-2026"), KEY).data == data


@pytest.mark.parametrize(
    ("tail", "behind", "extended"),
    [
        (b"[Iroom [2]][Rx]", b"", (b"Iroom [2]", b"Rx")),
        (b'[J{"a":[1]}]', b"", (b'J{"a":[1]}',)),
        (b"^][Ix]", b"]^", (b"Ix",)),
        (b" hall]/PA02][Ix][Rx]", b"] hall]/PA02", (b"Ix", b"Rx")),
        (b"[]", b"", (b"",)),
    ],
)
@pytest.mark.parametrize("secret", [None, KEY.secret])
def test_brackets_in_a_text(tail: bytes, behind: bytes, extended: tuple[bytes, ...], secret: bytes | None) -> None:
    """A bracket in a text costs neither the time nor, under encryption, the report, nor the text after it."""
    text = DATA + b"]" + tail + b"_10:00:00,01-02-2026"
    head = b'"%bADM-CID"0001L0#1234[' % (b"*" if secret else b"")
    frame = frame_of(envelope(head + (seal(text, secret) if secret else text)), *([KEY] if secret else []))
    assert (frame.data, frame.extended, frame.timestamp) == (DATA + behind, extended, AT)


def test_no_bar_before_a_report() -> None:
    """Without a bar a report's text is kept whole with its pad, so that a person can read it."""
    assert frame_of(sealed(b"Nri0/RP0000]_10:00:00,01-02-2026"), KEY).data == b"Nri0/RP0000"


@pytest.mark.parametrize("cipher", [b"", b"00", b"zz" * 16, b"0" * 31, b"00" * 17, b"#1234|NRP0]"])
def test_text_that_is_not_ciphertext(cipher: bytes) -> None:
    """A ciphertext that is not whole blocks in hex cannot be opened, and gives no error."""
    frame = frame_of(envelope(b'"*SIA-DCS"0001L0#1234[' + cipher))
    assert unseal(frame, [KEY]) is None


def test_lower_case_ciphertext() -> None:
    """Eaton and siadc09 write their hex in lower case."""
    raw = build("ADM-CID", "0001", HOME, DATA, timestamp=AT, key=KEY.secret)
    head, text = raw[9:-1].split(b"[")
    assert frame_of(envelope(head + b"[" + text.lower()), KEY).data == DATA


def test_parse_takes_one_frame() -> None:
    """Bytes that do not open as a frame, or do not fit their checksum, are damage with the reason."""
    raw = build("ADM-CID", "0001", HOME, DATA)
    assert frame_of(raw[:-1]) == frame_of(raw)
    assert damage_of(raw[:-2]).reason is Reason.BAD_CHECKSUM
    assert damage_of(b"x" + raw).reason is Reason.MALFORMED
    assert damage_of(b"").reason is Reason.MALFORMED
    assert damage_of(raw.replace(b"1101", b"1102")).reason is Reason.BAD_CHECKSUM


@pytest.mark.parametrize(
    "text",
    [b"", b"10:00:00", b"24:00:00,01-02-2026", b"10:00:00,02-30-2026", b"10:00:00,01-02-0000", b"10:00:00 01-02-2026"],
)
def test_texts_that_are_not_times(text: bytes) -> None:
    """A text that names no moment gives None."""
    assert read_time(text) is None


def test_time_is_written_in_gmt() -> None:
    """A moment in another zone is written in GMT."""
    zoned = AT.astimezone(timezone(timedelta(hours=2)))
    assert write_time(zoned) == b"10:00:00,01-02-2026"
    assert read_time(b"10:00:00,01-02-2026") == AT


def test_key_never_shows() -> None:
    """A key does not show its secret when it is printed."""
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(replace(KEY, name="again"))
