r"""Reads the header of a SIA DC-09 frame as the standard writes it, and as devices write it.

    "id" seq [Rrcvr] Lpref #acct [        "SIA-DCS"0001R1L0#1234[

The checksum proves that a device sent exactly these bytes. So every header is read, however odd it is, because a person
may be calling for help. Devices or their installers are known to write these odd headers:

    "SIA-DCS"0001L[#9999|NBA2]         no account, no "#", empty L (ioBroker.sia issue 4)
    "ADM-CID"0001#7788[...]            no L (dc09-spt without a line)
    "NULL"0000L0A1234[]                A in place of "#", which only NAK has (5.5.2.2)
    "SIA-DCS"00012L0#CASA-7[...]       a number of more or fewer digits, an account of other characters

An answer repeats the header byte for byte (5.5.2.1), so the device finds there what it wrote.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vetlla.domain.signals import AccountId
from vetlla.protocols.framing.charset import readable

MAX_ACCOUNT: Final = 64
"""Characters of the longest account that can be registered; the standard has 3 to 16 hex digits (5.5.1.7)."""
MAX_HEADER: Final = 256
"""Bytes after the token in which number, receiver, line and account are searched: four times the longest account."""

NO_LINE: Final = "no-line"
EMPTY_LINE: Final = "empty-line"
NO_ACCOUNT: Final = "no-account"
ODD_HEADER: Final = "odd-header"

STANDARD: Final = re.compile(
    rb'"(\*?)([!#-`{-~]{1,16})"([0-9A-Fa-f]{4})'
    rb"(?:R([0-9A-Fa-f]{0,6}))?L([0-9A-Fa-f]{0,6})#([0-9A-Za-z]{1,16})"
    rb"\[([^\]]*)((?s:.*))"
)
"""A body as the standard writes it: star, token, number, receiver, line, account, data, and the rest.

Focus FC-7688 (``foc7688``) and my-dc09-spt write letters beyond hexadecimal in the account."""

_ODD: Final = re.compile(
    rb'"(\*?)(?:([^"\[\]#]{0,32})"|(SIA-DCS|ADM-CID|NULL|XNM)?)'
    rb"([^\[\]|]{0,%d})[^\[\]|]*\[?([^\]]*)((?s:.*))" % MAX_HEADER
)
"""Any body: star, token (a known one if its closing quote is missing), header, data, and the rest."""
_KNOWN_TOKENS: Final = frozenset({b"SIA-DCS", b"ADM-CID", b"NULL", b"XNM", b"ACK", b"NAK", b"DUH"})
_KNOWN_FORM: Final = re.compile(
    rb"[0-9A-Fa-f]{4}(?:R[0-9A-Fa-f]{0,6})?(?:L[0-9A-Fa-f]{0,6})?(?:[#A][0-9A-Za-z]{1,16})?",
)
_NUMBER: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]*)")
_RECEIVER: Final = re.compile(rb"[Rr][ \t]*([^RrLl#\s]*)")
_LINE: Final = re.compile(rb"[Ll][ \t]*([^RrLl#\s]*)")
_ACCOUNT_FIRST: Final = re.compile(rb"([0-9A-Fa-f]+)((?:[RrLl][0-9A-Fa-f]*)+)")
_ACCOUNT_BEHIND_A: Final = re.compile(rb"A([0-9A-Za-z]{1,16})\Z")

_ECHO: Final = re.compile(
    rb'\n?(?:[0-9A-Fa-f]{4}|([\s\S]{2}))0[0-9A-Fa-f]{3}"[^"]+"'
    rb"([0-9A-Fa-f]{4}(?:R[0-9A-Fa-f]{0,6})?)(L[0-9A-Fa-f]{0,6})(#[0-9A-Za-z]{1,16})\["
)
"""A standard header, in the parts that its answer repeats: the checksum's form; number and receiver, line, account."""
_ODD_ECHO: Final = re.compile(rb'\n?(?:[0-9A-Fa-f]{4}|([\s\S]{2}))0[0-9A-Fa-f]{3}("(?s:.*))')
_LINE_WITHOUT_DIGITS: Final = re.compile(rb"([Ll])(?=[Rr]|\Z)")
_TIME_BEHIND: Final = re.compile(rb"_[0-9:]{8},[0-9-]{10}\Z")
"""The time of a message without brackets."""
_CONTROLS: Final = bytes((*range(0x20), 0x7F))


class Header(NamedTuple):
    """An odd header, and the body's other parts."""

    sealed: bool
    token: str
    sequence: str
    id: AccountId
    data: bytes
    tail: bytes
    quirks: tuple[str, ...]


class Echo(NamedTuple):
    """The parts of a frame that its answer repeats."""

    header: bytes
    """Number, receiver if it was there, line as received (L0 if missing or empty), account (5.5.2.1)."""
    binary_crc: bool


class _Parts(NamedTuple):
    star: bytes
    token: bytes | None
    """None if its closing quote is missing."""
    known_token: bytes | None
    header: bytes
    data: bytes
    tail: bytes


def read_odd(body: bytes) -> Header:
    """Return the parts of a body that is not in the standard's form. A part that its header lacks is empty."""
    parts = _split(body)
    token = (parts.token or parts.known_token or b"").strip()
    token = token.upper() if token.upper() in _KNOWN_TOKENS else token
    number, fields, account = _fields(parts, token)
    receiver, line = _RECEIVER.search(fields), _LINE.search(fields)
    who = AccountId(_text(receiver[1]) if receiver else "", _text(line[1]) if line else "", _text(account))
    quirks = (
        (NO_LINE, line is None),
        (EMPTY_LINE, line is not None and not line[1]),
        (NO_ACCOUNT, not who.account),
        (ODD_HEADER, parts.token != token or not _is_known(parts.header, account, token)),
    )
    names = tuple(name for name, is_so in quirks if is_so)
    return Header(
        sealed=bool(parts.star),
        token=readable(token),
        sequence=number.decode(),
        id=who,
        data=parts.data,
        tail=parts.tail,
        quirks=names,
    )


def _split(body: bytes) -> _Parts:
    found = _ODD.fullmatch(body)
    assert found is not None  # it always matches, because every part may be empty
    star, token, known_token, header, data, tail = found.groups()
    return _Parts(star, token, known_token, _TIME_BEHIND.sub(b"", header), data, tail)


def _fields(parts: _Parts, token: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the number, the text that holds receiver and line, and the account."""
    before, mark, account = parts.header.partition(b"#")
    number = _NUMBER.match(before)
    assert number is not None  # it may be empty
    fields, account = before[number.end() :], account.lstrip(b"#").strip()
    letter = None if mark else _ACCOUNT_BEHIND_A.search(fields)
    if letter is not None and (token == b"NAK" or parts.data.startswith(b"#%b|" % letter[1])):
        return number[1], fields[: letter.start()], letter[1]
    swapped = _ACCOUNT_FIRST.fullmatch(account)
    if swapped is not None and not fields.strip() and not parts.data.startswith(b"#%b|" % account):
        return number[1], swapped[2], swapped[1]
    return number[1], fields, account


def _is_known(header: bytes, account: bytes, token: bytes) -> bool:
    """Return True if a header lacks parts but otherwise has the standard's form."""
    mark = b"A" if token == b"NAK" else b"#"
    return _KNOWN_FORM.fullmatch(header) is not None and (
        not account or header.endswith((mark + account, b"#" + account))
    )


def account_in(data: bytes) -> str:
    """Return the account after the "#" that opens the data; "" if there is none."""
    return _text(data.partition(b"|")[0].removeprefix(b"#"))


def _text(field: bytes) -> str:
    """Return a field of the header as text; "" if it can be no receiver, line or account."""
    text = readable(field)
    return text if len(text) <= MAX_ACCOUNT and text.isprintable() else ""


def echo(raw: bytes) -> Echo:
    """Return the parts of a frame that its answer repeats."""
    found = _ECHO.match(raw)
    if found is not None:
        binary, front, line, account = found.groups()
        return Echo(front + (line if line != b"L" else b"L0") + account, binary is not None)
    odd = _ODD_ECHO.match(raw)
    assert odd is not None  # a frame begins with an opening
    front, mark, account = _split(odd[2]).header.translate(None, _CONTROLS).partition(b"#")
    front = _LINE_WITHOUT_DIGITS.sub(rb"\g<1>0", front)
    if not _LINE.search(front) and not _ACCOUNT_FIRST.fullmatch(account):
        front += b"L0"
    return Echo(front + mark + account, odd[1] is not None)
