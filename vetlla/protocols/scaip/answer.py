"""The answer to a request (fact sheet of telecare over IP, 1.3), which a receiver sends as a MESSAGE of its own."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from vetlla.protocols.scaip.markup import escaped, read_markup

ROOT: Final = "mrs"
VERSION: Final = "01.00"
TEXT_MOST: Final = 128
"""Most characters of the status text."""
NUMBER_MOST: Final = 256
"""Most characters of the number to call. Essence and Neat units take one number only."""
INTERVAL_MOST: Final = 4
"""Highest interval of heartbeats. What each digit means is not in open material."""


class AnswerStatus(IntEnum):
    """How a request was taken (``snu``)."""

    ACCEPTED = 0
    TOO_LONG = 1
    BAD_FORMAT = 2
    WRONG_DATA = 3
    HOLD = 4
    NOT_TREATED = 5
    BUSY = 6
    MISSING = 7
    """A mandatory element is missing."""
    UNDEFINED = 99


class Media(IntEnum):
    """Which voice the receiver wants (``mre``)."""

    NONE = 0
    DUPLEX = 1
    LISTEN = 2
    """The microphone of the unit alone."""
    SPEAK = 3
    """The loudspeaker of the unit alone."""


class Calling(IntEnum):
    """Which number the unit calls (``cre``)."""

    NONE = 0
    PROGRAMMED = 61
    """The receiver that it is programmed to."""
    GIVEN = 62
    """The number of the answer."""


class ScaipAnswer(NamedTuple):
    """One answer."""

    ref: str
    status: int
    """One of ``AnswerStatus``, or a number that is not known here."""
    text: str = ""
    media: Media = Media.NONE
    calling: Calling | None = None
    number: str = ""
    """The number to call: ``sip:``, ``tel:`` or ``gsm:``; with ``Calling.GIVEN`` alone."""
    interval: int | None = None
    """The interval of heartbeats that the receiver sets."""


def write_answer(answer: ScaipAnswer) -> bytes:
    """Return the body of an answer: strictly in the order and within the bounds of the standard.

    Raises ValueError for a number without ``Calling.GIVEN`` or the other way round, and for a value beyond its bound.
    """
    if (answer.calling is Calling.GIVEN) != bool(answer.number):
        raise ValueError("a number to call and cre 62 belong together")
    if len(answer.number) > NUMBER_MOST:
        raise ValueError(f"a number to call has at most {NUMBER_MOST} characters")
    if answer.interval is not None and not 0 <= answer.interval <= INTERVAL_MOST:
        raise ValueError(f"an interval of heartbeats is at most {INTERVAL_MOST}")
    given = (
        ("ref", answer.ref),
        ("snu", str(int(answer.status))),
        ("ste", answer.text[:TEXT_MOST]),
        ("cve", VERSION),
        ("mre", str(int(answer.media))),
        ("cre", "" if answer.calling is None else str(int(answer.calling))),
        ("tnu", answer.number),
        ("hbi", "" if answer.interval is None else str(answer.interval)),
    )
    return f"<mrs>{''.join(f'<{name}>{escaped(value)}</{name}>' for name, value in given if value)}</mrs>".encode()


def read_answer(body: bytes) -> ScaipAnswer | None:
    """Return the answer of a body as a terminal understands it; None if it has no reference or no status."""
    fields = {
        element.path[-1]: element.text.strip() for element in read_markup(body).elements if ROOT in element.path[:-1]
    }
    status = _number(fields.get("snu", ""))
    if not fields.get("ref") or status is None:
        return None
    media, calling = _number(fields.get("mre", "")), _number(fields.get("cre", ""))
    return ScaipAnswer(
        fields["ref"],
        status,
        fields.get("ste", ""),
        Media(media) if media in set(Media) else Media.NONE,
        Calling(calling) if calling in set(Calling) else None,
        fields.get("tnu", ""),
        _number(fields.get("hbi", "")),
    )


def _number(text: str) -> int | None:
    """Return the number of up to three digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None
