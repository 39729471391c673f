"""What a channel tells us by itself: reports, replies, and news about our account.

A channel repeats and reorders what it tells. Nothing is left out here: what cannot be read is kept with its reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.messages import DeliveryReport, IncomingReply, NumberChanged


class Unread(NamedTuple):
    """A part of what was received that could not be read."""

    where: str
    """Its place, such as ``entry[0].changes[1].value.messages[0]``; "" for the whole."""
    reason: str
    """Without personal data."""
    raw: str
    """As it was received; it may hold personal data."""


class NoticeKind(StrEnum):
    """What news about our account are about."""

    TEMPLATE = "template"
    """A template was approved, rejected, paused, disabled; ``event`` says which."""
    TEMPLATE_QUALITY = "template_quality"
    TEMPLATE_CATEGORY = "template_category"
    """A template is billed in another category; ``event`` is the new one."""
    NUMBER_QUALITY = "number_quality"
    """The number may send to more or to fewer people."""
    NUMBER_NAME = "number_name"
    """The name that citizens see was decided about."""
    ACCOUNT = "account"
    """The account was restricted, disabled, reviewed or verified."""
    PREFERENCE = "preference"
    """A person stopped or resumed marketing messages; ours are none."""
    PERSON = "person"
    """WhatsApp tells something about a person that changes nothing here."""
    ERROR = "error"
    """An error that belongs to no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelNotice:
    """News about our account, a template, or a person's preference."""

    kind: NoticeKind
    at: datetime
    event: str = ""
    """The provider's word, such as ``APPROVED``, ``PAUSED``, ``FLAGGED``."""
    template: str = ""
    language: str = ""
    code: str = ""
    detail: str = ""
    phone: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """All that one request, or one packet, told."""

    reports: tuple[DeliveryReport, ...] = ()
    replies: tuple[IncomingReply, ...] = ()
    changed: tuple[NumberChanged, ...] = ()
    """Numbers, and WhatsApp's ids of persons: both sides are of the same kind."""
    notices: tuple[ChannelNotice, ...] = ()
    unread: tuple[Unread, ...] = ()


Take = Callable[[bytes, Received], Awaitable[None]]
"""Keeps what was received, with its raw bytes, and returns when it is on the disk. The provider gets its receipt after
that; if it raises, the provider sends it again."""

T = TypeVar("T")


def storable(received: T) -> T:
    """Return what was received with texts that can be written: half of an emoji becomes U+FFFD.

    JSON can name the halves of a pair of UTF-16 one by one (RFC 8259, 8.2), so that a text may end in the middle.
    """
    return cast("T", _storable(received))


def _storable(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _storable(getattr(value, one.name)) for one in fields(value)})
    if isinstance(value, tuple):
        parts = [_storable(one) for one in value]
        make = getattr(type(value), "_make", tuple)  # a NamedTuple stays one
        return cast("object", make(parts))
    return value
