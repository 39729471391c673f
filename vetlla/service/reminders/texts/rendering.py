"""The values of a text's places for one appointment, and the message as a citizen reads it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts import dates
from vetlla.service.reminders.texts.folding import fold
from vetlla.service.reminders.texts.places import PATTERN, Place
from vetlla.service.reminders.texts.text import SmsEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.appointments import Appointment
    from vetlla.service.reminders.lexicon import Intent
    from vetlla.service.reminders.texts.dates import Language
    from vetlla.service.reminders.texts.offices import Directory, OfficeDetails
    from vetlla.service.reminders.texts.text import Text

VALUE_MAX: Final = 300
"""Most characters of a place's value. A longer one is cut, so that a name from another system cannot fill a message."""

Values = dict[Place, str]


class Rendered(NamedTuple):
    """A text with its places filled in, ready for a gateway."""

    source: Text
    text: str
    """What the citizen reads."""
    parameters: tuple[str, ...]
    """WhatsApp: the values of the template's places in the order of ``{{1}}``, ``{{2}}``; () for a free message."""
    actions: tuple[Intent, ...]
    """WhatsApp: what each button of the template means, in its order."""


def values_of(appointment: Appointment, directory: Directory, language: Language) -> Values:
    """Return the values of the places for an appointment. A place without a value is not among them.

    Raises ConfigError if the office has no entry or its time zone does not exist.
    """
    office = directory.offices.get(appointment.office)
    if office is None:
        raise ConfigError(
            f"office {appointment.office} has no entry among the offices of the texts",
            remedy="add an [[office]] with this id to offices.toml",
        )
    start = dates.local(appointment.start, appointment.zone)
    values = office_values(office, language) | _when(start, language)
    if directory.may_name(service.id for service in appointment.services):
        values |= _procedure(appointment, directory, language)
    return _clean(values)


def office_values(office: OfficeDetails, language: Language) -> Values:
    """Return the values of the places that tell about an office only."""
    words = office.words(language)
    return _clean(
        {
            Place.OFICINA: office.name,
            Place.LLOC: words.where,
            Place.ADRECA: words.address,
            Place.TELEFON: office.telephone,
            Place.ENLLAC: words.booking,
            Place.PUNTS: words.support,
            Place.TELEFON_AJUDA: office.help_telephone,
        }
    )


def list_values(appointments: Sequence[Appointment], directory: Directory, language: Language) -> Values:
    """Return the values of the places for several appointments, which are numbered in their order from 1.

    The contact is that of the first one's office. Raises ConfigError as ``values_of`` does.
    """
    values = [values_of(one, directory, language) for one in appointments]
    lines = [f"{number}) {_line(one)}" for number, one in enumerate(values, start=1)]
    office = office_values(directory.offices[appointments[0].office], language) if appointments else {}
    return office | {Place.LLISTA: "\n".join(lines)}


def render(text: Text, values: Mapping[Place, str]) -> Rendered:
    """Return a text with its places filled in. Raises ConfigError if a place has no value."""
    found = {str(place): value for place, value in values.items() if value}
    lacking = [place for place in text.places if place not in found]
    if lacking:
        raise ConfigError(
            f"text {text.title}: there is no value for {{{lacking[0]}}}",
            remedy="complete the office's entry in offices.toml, or take the place out of the text",
        )
    if text.is_template:
        found = {place: _in_one_line(value) for place, value in found.items()}
    whole = PATTERN.sub(lambda place: found[place[1]], text.text)
    if text.channel is Channel.SMS and text.sms_encoding is SmsEncoding.FOLD:
        whole = fold(whole)
    parameters = tuple(found[place] for place in text.places) if text.is_template else ()
    return Rendered(text, whole, parameters, tuple(button.action for button in text.buttons))


def joined(words: Sequence[str], language: Language) -> str:
    """Return words as a list in a sentence: "a, b i c", "a, b y c"; Spanish writes "e" before a sound of i."""
    if len(words) <= 1:
        return "".join(words)
    conjunction = "i"
    if language == "es":
        last = unicodedata.normalize("NFD", words[-1].lower())
        has_i = last.startswith(("i", "hi")) and not last.startswith(("hia", "hie", "hio", "ia", "ie", "io"))
        conjunction = "e" if has_i else "y"
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _when(start: datetime, language: Language) -> Values:
    return {
        Place.DIA: dates.day(start, language),
        Place.DIA_CURT: dates.short_day(start, language),
        Place.HORA: dates.hour(start, language),
        Place.QUAN: dates.day_and_hour(start, language),
        Place.QUAN_CURT: dates.short_day_and_hour(start, language),
    }


def _procedure(appointment: Appointment, directory: Directory, language: Language) -> Values:
    """Return what tells the procedure. Documents and link have a value only if there is one procedure."""
    found = [directory.services[service.id].words(language) for service in appointment.services]
    values = {Place.TRAMIT: joined([one.name for one in found], language)}
    if len(found) == 1:
        values |= {Place.DOCUMENTS: found[0].documents, Place.ENLLAC_TRAMIT: found[0].online}
    return values


def _line(values: Mapping[Place, str]) -> str:
    line = f"{values[Place.QUAN_CURT]}, {values[Place.LLOC]}"
    return f"{line}: {values[Place.TRAMIT]}" if Place.TRAMIT in values else line


def _clean(values: Mapping[Place, str]) -> Values:
    """Return the values that are not empty, without characters that change how a message is shown."""
    cleaned = {place: printable_value(value) for place, value in values.items()}
    return {place: value for place, value in cleaned.items() if value}


def printable_value(value: str) -> str:
    """Return a value in NFC without control and invisible characters, at most ``VALUE_MAX`` long."""
    signs: Iterable[str] = unicodedata.normalize("NFC", value)
    kept = ("\n" if one in "\r\n\u2028\u2029" else " " if one == "\t" else one for one in signs)
    return "".join(one for one in kept if one == "\n" or unicodedata.category(one)[0] != "C").strip()[:VALUE_MAX]


def _in_one_line(value: str) -> str:
    """Return a value as WhatsApp takes a template's parameter: no line break, no tab, no run of blanks."""
    return " ".join(value.split())
