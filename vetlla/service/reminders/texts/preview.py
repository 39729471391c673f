"""A text as its reader sees it, with what it costs, for the people who have to agree to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.messages import Channel
from vetlla.domain.segments import Segments, segments_of
from vetlla.service.reminders.rates import SEGMENT, SERVICE, UTILITY
from vetlla.service.reminders.texts.examples import example_values, places_of_use
from vetlla.service.reminders.texts.folding import fold
from vetlla.service.reminders.texts.rendering import render
from vetlla.service.reminders.texts.text import SmsEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from decimal import Decimal

    from vetlla.service.reminders.rates import RateCard
    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.service.reminders.texts.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AsSms:
    """A text as SMS, in one of both encodings."""

    text: str
    segments: Segments
    eur: Decimal | None
    """None if the rate card has no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One text for an invented appointment."""

    source: Text
    office: str
    service: str
    text: str
    """What is sent, with the text's own ``sms_encoding``."""
    parameters: tuple[str, ...]
    exact: AsSms | None
    """None for WhatsApp."""
    folded: AsSms | None
    eur: Decimal | None
    """Price of the message as it is sent; None if the rate card has none."""


def example_use(text: Text, directory: Directory, office: str = "", service: str = "") -> tuple[str, str] | None:
    """Return the first office and procedure that a text can be used for, of those asked for; None if there is none."""
    uses = places_of_use(text, directory)
    return next(
        ((one, used) for one, used in uses if office in {"", one} and (not used or service in {"", used})), None
    )


def preview(text: Text, directory: Directory, use: tuple[str, str], rates: RateCard, day: date) -> Preview:
    """Return a text for an invented appointment, with prices of a day. Raises ConfigError if a value is missing."""
    values = example_values(text, directory, *use)
    sent = render(text, values)
    if text.channel is Channel.WHATSAPP:
        price = rates.price(text.channel, UTILITY if text.is_template else SERVICE, day)
        exact = folded = None
    else:
        written = render(text.model_copy(update={"sms_encoding": SmsEncoding.EXACT}), values).text
        each = rates.price(text.channel, SEGMENT, day)
        exact, folded = (_as_sms(one, each) for one in (written, fold(written)))
        price = (exact if text.sms_encoding is SmsEncoding.EXACT else folded).eur
    return Preview(
        source=text,
        office=use[0],
        service=use[1],
        text=sent.text,
        parameters=sent.parameters,
        exact=exact,
        folded=folded,
        eur=price,
    )


def _as_sms(said: str, each: Decimal | None) -> AsSms:
    found = segments_of(said)
    return AsSms(text=said, segments=found, eur=None if each is None else each * found.segments)


def selected(
    texts: Iterable[Text],
    *,
    office: str = "",
    service: str = "",
    language: str = "",
    channel: str = "",
    name: str = "",
) -> Iterator[Text]:
    """Yield the texts of a language, channel and name that an office and a procedure can get; "" means any."""
    for text in texts:
        fits = (
            language in {"", text.language}
            and channel in {"", text.channel}
            and name in {"", text.name}
            and (not office or text.office in {"", office})
            and (not service or text.service in {"", service})
        )
        if fits:
            yield text
