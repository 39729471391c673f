"""An attacker on the line without a key: token, header and checksum stand in clear, and the cipher has no checksum.

The attacker knows the content of a home's frames, holds old ones, and changes, cuts and joins blocks. This never makes
a call less urgent, and a frame counts as a heartbeat only if it is whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.recordings import decode, signals
from vetlla.domain.signals import AccountId, Item, Key, Kind, Priority, Reason, Reject, Reply, Signal
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import envelope
from vetlla.protocols.dc09.sealed_frames import CALLS as MOST_URGENT
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = Key(name="shared", secret=bytes(range(16)))
LONG = replace(KEY, long_pad=True)
BLOCK = 16
TIME = b"_10:00:00,01-02-2026"
NEW_TIME = b"_11:00:00,01-02-2026"
PAD = b"\x8e" * BLOCK
PRESS = b"#1234|1101 01 007"
URGENT = {kind for kind, priority in PRIORITIES.items() if priority is Priority.LIFE}

CALLS = [
    PRESS,
    b"1101 01 007",
    b"#1234|1108 01 003",
    b"#1234|1101 01 007 bath",
    b"#1234|1101 01 007|NRP0",
    b"#1234|1101 01 007|NCL1",
    b"#1234|Nri1/PA003",
    b"#1234|NPA",
    b"#1234|PA01/BA02/BA03",
    b"#1234|Nri1/FA05^1602 00 000^",
    b"help",
]
TOKENS = [
    "NULL",
    "XNM",
    "null",
    "Xnm",
    "SIA-DCS",
    "ADM-CID",
    "adm-cid",
    "RSP",
    "CSV-XY",
    "ACK",
    "NAK",
    "DUH",
    "VIS-BBA",
]
HEADERS = ["0001L0#1234", "0000L0#1234", "9999L0#1234", "0001R7L0#1234", "0001LABC#1234", "L0#1234", "0001L#1234"]


def text_of(data: bytes, blocks: bytes = b"", *, time: bytes = TIME, bar: bytes = b"|") -> bytes:
    """Return a clear text as a terminal seals it, with less than a block of pad."""
    rest = bar + data + b"]" + blocks + time
    return PAD[: -len(rest) % BLOCK] + rest


def sealed(text: bytes) -> list[bytes]:
    encryptor = Cipher(AES(KEY.secret), CBC(bytes(BLOCK))).encryptor()
    return split(encryptor.update(text))


def split(whole: bytes) -> list[bytes]:
    return [whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK)]


def saying(text: bytes, before: bytes, wanted: bytes, block: bytes) -> bytes:
    """Return the block to put before ``block`` so that it says ``wanted``; after ``before`` it says ``text``."""
    return bytes(a ^ b ^ c for a, b, c in zip(text, before, wanted, strict=True))[: len(block)]


def frame(blocks: Sequence[bytes], token: str = "ADM-CID", header: str = "0001L0#1234") -> bytes:
    return envelope(f'"*{token}"{header}['.encode() + b"".join(blocks).hex().upper().encode())


def heard(raw: bytes, *keys: Key) -> list[Item]:
    return decode(Dc09Decoder(lambda _: keys or (KEY,)), [raw])


def kinds(items: Sequence[Item]) -> set[Kind]:
    """Return the kinds that operators see."""
    return {item.event.kind for item in signals(items)} | {item.kind for item in items if isinstance(item, Reject)}


def test_the_decoders_calls_are_the_kinds_of_priority_life() -> None:
    """The decoder's calls are the kinds of priority LIFE."""
    assert URGENT - {Kind.UNREADABLE} == MOST_URGENT


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("data", CALLS)
def test_another_token_makes_no_call_less_urgent(data: bytes, token: str) -> None:
    """The sealed data count, or they cannot be read under this token."""
    items = heard(frame(sealed(text_of(data)), token))
    assert kinds(items) & URGENT, items
    assert not kinds(items) & {Kind.HEARTBEAT, Kind.PERIODIC_TEST}, items


@pytest.mark.parametrize("header", HEADERS)
def test_another_header_makes_no_call_less_urgent(header: str) -> None:
    """Number, receiver and line prove nothing."""
    for token in ("ADM-CID", "NULL"):
        assert kinds(heard(frame(sealed(text_of(PRESS)), token, header))) == {Kind.PERSONAL_EMERGENCY}


@pytest.mark.parametrize("token", ["NULL", "ADM-CID", "SIA-DCS"])
def test_a_call_whose_star_is_removed(token: str) -> None:
    """Without the star the hex digits are data that cannot be read."""
    digits = b"".join(sealed(text_of(PRESS))).hex().encode()
    (signal,) = signals(heard(envelope(b'"%b"0001L0#1234[%b]' % (token.encode(), digits))))
    assert signal.event.kind is Kind.UNREADABLE


@pytest.mark.parametrize("token", ["NULL", "XNM", "ADM-CID", "ACK"])
@pytest.mark.parametrize("wanted", [b"zzzzzzzzzz|]_10:", b"zzzzzzzzzzz]_10:", b"|#1234|NRP0]_10:", b"|1602 00 00]_10:"])
def test_a_first_block_that_becomes_noise(token: str, wanted: bytes) -> None:
    """An attacker who changes the first block chooses what the second one says, but then the pad is a block long."""
    text = text_of(PRESS)
    first, second, *rest = sealed(text)
    changed = saying(split(text)[1], first, wanted, second)
    items = heard(frame([changed, second, *rest], token))
    assert Kind.UNREADABLE in kinds(items), items
    assert not kinds(items) & {Kind.HEARTBEAT, Kind.PERIODIC_TEST}, items


def test_a_press_whose_first_block_is_noise() -> None:
    """Without a bar nothing distinguishes pad from data, whatever the token is."""
    _, *rest = sealed(text_of(PRESS))
    for seed in range(200):
        for token in ("NULL", "ADM-CID"):
            noise = bytes((seed * 37 + at * 11) % 256 for at in range(BLOCK))
            assert kinds(heard(frame([noise, *rest], token))) == {Kind.UNREADABLE}


def test_a_heartbeat_that_a_block_in_front_renews() -> None:
    """A block in front chooses the hour of an old heartbeat, but then the bar stands in the second block."""
    text = text_of(b"")
    blocks = sealed(text)
    renewed = split(text)[0].replace(b"_10:", b"_11:")
    front = saying(split(text)[0], bytes(BLOCK), renewed, blocks[0])
    (signal,) = signals(heard(frame([front, *blocks], "NULL")))
    assert signal.event.kind is Kind.UNREADABLE
    assert signal.sent_at is not None
    assert signal.sent_at.hour == 11
    assert "changed on its way" in signal.text
    assert "long-pad" in signal.details["quirks"]


@pytest.mark.parametrize(("old", "token"), [(b"", "NULL"), (b"#1234|1602 00 000", "ADM-CID")])
def test_an_old_beginning_with_a_new_end(old: bytes, token: str) -> None:
    """If blocks of an old heartbeat or test precede a press, something stands between data and time."""
    press = sealed(text_of(PRESS, time=NEW_TIME))
    past = sealed(text_of(old))
    for keep in range(1, len(past)):
        for skip in range(len(press)):
            items = heard(frame([*past[:keep], *press[skip:]], token))
            assert not kinds(items) & {Kind.HEARTBEAT, Kind.PERIODIC_TEST}, (keep, skip, items)


def test_noise_in_a_block_of_a_heartbeat() -> None:
    """A heartbeat with a text counts as a heartbeat only if the text is readable."""
    text = text_of(b"", b"[Iall is well in this home]")
    blocks = sealed(text)
    (signal,) = signals(heard(frame(blocks, "XNM")))
    assert signal.event.kind is Kind.HEARTBEAT
    (signal,) = signals(heard(frame([blocks[0], blocks[1], bytes(BLOCK), *blocks[1:]], "XNM")))
    assert signal.event.kind is Kind.UNREADABLE


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_change_of_its_blocks_turns_a_press_into_a_heartbeat(data: st.DataObject) -> None:
    """Blocks are changed, dropped, doubled and moved, and the token is changed, but no press becomes a heartbeat."""
    blocks = sealed(text_of(PRESS, b"[Ibath][X002E10.5][Y41N23.1]"))
    order = data.draw(st.lists(st.integers(0, len(blocks) - 1), min_size=1, max_size=2 * len(blocks)))
    taken = bytearray(b"".join(blocks[at] for at in order))
    for at in data.draw(st.lists(st.integers(0, len(taken) - 1), max_size=3)):
        taken[at] ^= data.draw(st.integers(0, 255))
    token = data.draw(st.sampled_from(["NULL", "XNM", "ADM-CID", "SIA-DCS"]))
    told = kinds(heard(frame([bytes(taken)], token)))
    assert told & (URGENT | {Kind.FAULT})
    assert not told & {Kind.HEARTBEAT, Kind.PERIODIC_TEST, Kind.MANUAL_TEST}
    assert Kind.FAULT not in told or len(order) <= 2


@pytest.mark.parametrize("token", ["NULL", "XNM"])
@pytest.mark.parametrize("blocks", [b"", b"[CDP]", b"[IHello]", b"[Ihabitaci\xf3]"])
@pytest.mark.parametrize("bar", [b"|", b""])
@pytest.mark.parametrize("pad", [b"\x8e", b"p", b"0", b"\0", b"Q", b"7"])
def test_a_real_heartbeat_is_one(token: str, blocks: bytes, bar: bytes, pad: bytes) -> None:
    """A heartbeat has a pad of less than a block, with a bar or without, blocks and time."""
    text = text_of(b"", blocks, bar=bar).replace(PAD[:1], pad)
    (signal,) = signals(heard(frame(sealed(text), token)))
    assert signal.event.kind is Kind.HEARTBEAT


@pytest.mark.parametrize("data", [b"#1234", b"#1234|", b"#0000|0000 00 000", b"#1234|NULL", b"OK"])
def test_a_sealed_heartbeat_with_data_without_meaning(data: bytes) -> None:
    """Hikvision's zeros, the account and words have no meaning in a heartbeat."""
    (signal,) = signals(decode(homes("1234"), [frame(sealed(text_of(data)), "NULL")]))
    assert signal.event.kind is Kind.HEARTBEAT


@pytest.mark.parametrize("data", [b"Nri1/PA002", b"NPA", b"1101 01 002"])
@pytest.mark.parametrize("token", ["NULL", "XNM"])
def test_a_call_without_a_bar_that_becomes_a_heartbeat(data: bytes, token: str) -> None:
    """AjaxSiaCodec pads with zeros and sends no bar, so the text in place of the pad is read."""
    rest = data + b"]" + TIME
    assert kinds(heard(frame(sealed(b"0" * (-len(rest) % BLOCK) + rest), token))) == {Kind.PERSONAL_EMERGENCY}


def test_a_test_report_in_a_sealed_heartbeat_is_what_it_says() -> None:
    """The test report counts, because the token may have been changed."""
    (signal,) = signals(heard(frame(sealed(text_of(b"#1234|1602 00 000")), "NULL")))
    assert (signal.event.kind, signal.event.code) == (Kind.PERIODIC_TEST, "602")


@pytest.mark.parametrize("size", [16, 27, 31])
def test_a_key_whose_terminals_send_a_whole_block_of_pad(size: int) -> None:
    """If the key's owner says that its terminals pad in this way, the frame is read as it is."""
    rest = b"|" + PRESS + b"]" + b"[I" + b"x" * (-(size + len(PRESS) + 5 + len(TIME)) % BLOCK) + b"]" + TIME
    raw = frame(sealed((PAD + PAD)[:size] + rest))
    assert kinds(heard(raw, LONG)) == {Kind.PERSONAL_EMERGENCY}
    # Under other keys it may have been another call, but its own call is believed nevertheless.
    assert kinds(heard(raw)) == {Kind.PERSONAL_EMERGENCY, Kind.UNREADABLE}


def homes(*accounts: str) -> Dc09Decoder:
    def lookup(who: AccountId) -> Sequence[Key]:
        return (KEY,) if who.account in accounts else ()

    return Dc09Decoder(lookup)


@pytest.mark.parametrize("token", ["ADM-CID", "NULL"])
def test_a_report_of_one_home_under_another_that_has_the_same_key(token: str) -> None:
    """The report is refused, and an operator sees both homes, because either of them may be calling."""
    raw = frame(sealed(text_of(PRESS)), token, "0001L0#5678")
    first, second, reply = decode(homes("1234", "5678"), [raw])
    for reject, account in ((first, "5678"), (second, "1234")):
        assert isinstance(reject, Reject)
        assert (reject.reason, reject.kind) == (Reason.WRONG_ACCOUNT, Kind.UNREADABLE)
        assert reject.id == AccountId("", "0", account)
        assert "the same key" in reject.text
        assert not any(word in reject.text for word in ("1234", "5678", "1101"))  # the text is logged
    assert reply == Reply(data=envelope(b'"DUH"0001L0#5678[]'))


def test_an_account_in_the_data_that_has_no_key_is_a_detail() -> None:
    """Satel names another account in its data."""
    (signal,) = decode(homes("5678"), [frame(sealed(text_of(PRESS)), header="0001L0#5678")])
    assert isinstance(signal, Signal)
    assert (signal.event.kind, signal.id.account) == (Kind.PERSONAL_EMERGENCY, "5678")
    assert signal.details["account_in_data"] == "1234"


@pytest.mark.parametrize(("data", "kind"), [(b"", Kind.FAULT), (PRESS, Kind.UNREADABLE)])
def test_a_frame_that_no_key_opens_with_a_heartbeats_token(data: bytes, kind: Kind) -> None:
    """A frame with more blocks than a heartbeat may be a call."""
    other = Key(name="other", secret=bytes(16))
    reject, _ = heard(frame(sealed(text_of(data)), "NULL"), other)
    assert isinstance(reject, Reject)
    assert reject.kind is kind


@pytest.mark.parametrize("data", [b"help", b"#1234|help", b"#1234|1108 01 003", b"#1234|1101 01 007|NCL1"])
def test_a_heartbeat_in_clear_with_data_that_cannot_be_read(data: bytes) -> None:
    """A heartbeat with unreadable data does not count as a heartbeat."""
    (signal,) = signals(heard(envelope(b'"NULL"0000L0#1234[%b]' % data)))
    assert signal.event.kind is Kind.UNREADABLE
