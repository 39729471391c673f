"""All texts, and the choice of the one for a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts import tables
from vetlla.service.reminders.texts.dates import LANGUAGES, Language
from vetlla.service.reminders.texts.text import SenderKind, SmsEncoding, Text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from vetlla.service.reminders.texts.names import TextName


class Wanted(NamedTuple):
    """What a message needs a text for."""

    name: TextName
    channel: Channel
    language: Language
    office: str = ""
    service: str = ""
    may_name_procedure: bool = False
    """True if the office decided that messages may tell what this appointment is for."""
    sender: SenderKind = SenderKind.NUMBER


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of all languages."""

    texts: tuple[Text, ...] = ()
    _by_name: dict[tuple[TextName, Channel], list[Text]] = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the texts by name and channel."""
        for text in self.texts:
            self._by_name.setdefault((text.name, text.channel), []).append(text)

    def choose(self, wanted: Wanted, available: Container[str]) -> Text | None:
        """Return the text for a message: the most specific one whose places all have a value; None if that one is off.

        A text of office and procedure is more specific than one of the procedure, then come texts of the office and
        those for all. A text that tells the procedure is only used if that is allowed. The citizen's language comes
        before all this; without a text in it, Catalan is used. For a sender that cannot be answered, a text that asks
        for an answer is not used. Raises ConfigError if there is no text.
        """
        usable = [text for text in self._by_name.get((wanted.name, wanted.channel), ()) if _is_usable(text, wanted)]
        found = max(
            (text for text in usable if all(place in available for place in text.places)),
            key=lambda text: _rank(text, wanted),
            default=None,
        )
        if found is not None:
            return None if found.off else found
        lacking = sorted({place for text in usable for place in text.places if place not in available})
        why = f" whose places all have a value (missing: {', '.join(lacking)})" if lacking else ""
        raise ConfigError(
            f"no text {wanted.name} for {wanted.channel} in {wanted.language}{why}",
            remedy="run: vetlla reminders texts lint",
        )


def catalogue_of(documents: Iterable[Mapping[str, Any]]) -> Catalogue:
    """Return the texts of some documents, one for each language. Raises ValueError with the entry that is wrong.

    A document has ``language``, may have ``sms_encoding`` for all its texts, and holds a list of ``[[text]]``.
    """
    texts: dict[tuple[object, ...], Text] = {}
    for document in documents:
        for text in _texts(document):
            if text.key in texts:
                raise ValueError(f"there are two texts {text.title}: keep one of them")
            texts[text.key] = text
    return Catalogue(tuple(texts.values()))


def _texts(document: Mapping[str, Any]) -> Iterable[Text]:
    language = document.get("language")
    if language not in LANGUAGES:
        raise ValueError(f'language must be "ca" or "es"; it is {language!r}')
    unknown = sorted(set(document) - {"language", "sms_encoding", "text"})
    if unknown:
        raise ValueError(f"{language}: there is no key {unknown[0]}")
    encoding = document.get("sms_encoding", SmsEncoding.EXACT.value)
    for number, entry in enumerate(tables.entries(document, "text"), start=1):
        given = entry if isinstance(entry, dict) else {}
        where = f"{language}: text {number} ({given.get('channel', '?')} {given.get('name', '?')})"
        if "language" in given:
            raise ValueError(f"{where}: the language stands once at the head of the file")
        yield tables.read(Text, {"sms_encoding": encoding, **given, "language": language}, where)


def _is_usable(text: Text, wanted: Wanted) -> bool:
    return (
        text.language in {wanted.language, LANGUAGES[0]}
        and text.office in {"", wanted.office}
        and text.service in {"", wanted.service}
        and (wanted.may_name_procedure or not text.procedure)
        and _suits(text, wanted.sender)
    )


def _suits(text: Text, sender: SenderKind) -> bool:
    if text.channel is not Channel.SMS or sender is SenderKind.NUMBER:
        return text.sender is SenderKind.NUMBER
    return text.sender is SenderKind.ALIAS or not text.replies


def _rank(text: Text, wanted: Wanted) -> tuple[bool, bool, bool, bool, bool]:
    return (
        text.language == wanted.language,
        bool(text.service),
        bool(text.office),
        text.sender is wanted.sender,
        text.procedure,
    )
