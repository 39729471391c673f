"""The words of citizens' replies: data in a file for each language, which offices edit.

A reply means a command only if the lexicon explains the whole reply. So a word that is missing here costs a question to
the citizen, and never an appointment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.service.reminders.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ANY: Final = "any"
"""Language of a file whose words belong to no language: signs, "ok"."""
BOTH: Final = "2"
CORRECTED_LETTERS: Final = 6
"""Least letters of a word that is recognised with one mistake. Shorter words are too close to each other: ``val`` and
``vale``, ``si`` and ``no``."""


class Intent(StrEnum):
    """What a citizen wants."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    ASK = "ask"
    """The reply is a command or a number that can mean several things, so the citizen has to be asked."""
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    LANGUAGE = "language"
    RESCHEDULE = "reschedule"
    NONE = "none"
    """The reply is no command; a person reads it."""


class Part(StrEnum):
    """What a phrase of the lexicon is in a reply."""

    COMMAND = "command"
    """A whole command, such as "hi seré"."""
    VERB = "verb"
    """A command that may stand between a wish and an object: "vull *anul·lar* la cita"."""
    DETAIL = "detail"
    """What people add to a confirmation, such as a day. With any other command it raises a question."""
    NO = "no"
    WISH = "wish"
    OBJECT = "object"
    COURTESY = "courtesy"
    NUMBER = "number"
    """A number in words, "la segona"."""
    BEFORE_NUMBER = "before_number"
    ALL = "all"
    WORD = "word"
    """A word that is known and means nothing here, so that it is not corrected to another."""


class Entry(NamedTuple):
    """The meaning of a phrase."""

    part: Part
    languages: frozenset[str]
    """Languages that have the phrase; ``ANY`` is not among them. Empty for a phrase of no language."""
    intent: Intent | None = None
    value: str = ""
    """The number of NUMBER, the language of LANGUAGE, ``BOTH`` for an ALL that means two."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases of all languages, by their words."""

    entries: Mapping[tuple[str, ...], tuple[Entry, ...]]
    words: frozenset[str]
    """Every word of every phrase."""
    correctable: Mapping[str, frozenset[Intent]] = field(default_factory=dict)
    """Long words that are a command by themselves, with the intent."""

    @property
    def longest(self) -> int:
        """Words of the longest phrase."""
        return max(map(len, self.entries), default=0)


def lexicon_of(documents: Iterable[Mapping[str, Any]]) -> Lexicon:
    """Return the lexicon of some files. Raises ValueError, with the place, if a file cannot be used."""
    found: dict[tuple[str, ...], dict[tuple[Part, Intent | None, str], set[str]]] = {}
    for document in documents:
        language = document.get("language")
        if language not in {"ca", "es", ANY}:
            raise ValueError(f'language must be "ca", "es" or "{ANY}"; it is {language!r}')
        for phrase, key in _phrases(document, str(language)):
            for words in _spellings(tuple(words_of(phrase))):
                found.setdefault(words, {}).setdefault(key, set()).update({str(language)} - {ANY})
    entries = {
        words: tuple(
            Entry(part, frozenset(languages), intent, value) for (part, intent, value), languages in keys.items()
        )
        for words, keys in found.items()
    }
    _check(entries)
    return Lexicon(entries, frozenset(word for words in entries for word in words), _correctable(entries))


_LISTS: Final = {
    ("reply", "no"): (Part.NO, None),
    ("reply", "wishes"): (Part.WISH, None),
    ("reply", "objects"): (Part.OBJECT, None),
    ("reply", "courtesy"): (Part.COURTESY, None),
    ("reply", "before_number"): (Part.BEFORE_NUMBER, None),
    ("reply", "all"): (Part.ALL, None),
    ("reply", "both"): (Part.ALL, None),
    ("reply", "words"): (Part.WORD, None),
    ("confirm", "details"): (Part.DETAIL, None),
    **{
        (intent.value, name): (part, intent)
        for intent in (
            Intent.CONFIRM,
            Intent.CANCEL,
            Intent.OPT_OUT,
            Intent.OPT_IN,
            Intent.HELP,
            Intent.RESCHEDULE,
        )
        for name, part in (("verbs", Part.VERB), ("phrases", Part.COMMAND))
    },
}
"""Lists of phrases in a file, by table and name."""


def _phrases(document: Mapping[str, Any], language: str) -> Iterator[tuple[str, tuple[Part, Intent | None, str]]]:
    for table, content in document.items():
        if table == "language":
            continue
        if not isinstance(content, dict):
            raise ValueError(f"lexicon {language}: {table} must be a table")  # noqa: TRY004 - the file is wrong
        for name, phrases in content.items():
            if not isinstance(phrases, list) or not all(isinstance(one, str) and words_of(one) for one in phrases):
                raise ValueError(f"lexicon {language}: {table}.{name} must be a list of phrases")
            if table == "switch" and name in {"ca", "es"}:
                key: tuple[Part, Intent | None, str] = (Part.COMMAND, Intent.LANGUAGE, name)
            elif table == "numbers" and name.isdigit():
                key = (Part.NUMBER, None, name)
            elif (table, name) in _LISTS:
                key = (*_LISTS[table, name], BOTH if name == "both" else "")
            else:
                known = ", ".join(sorted({f"{one}.{other}" for one, other in _LISTS} | {"switch.ca", "numbers.1"}))
                raise ValueError(f"lexicon {language}: there is no list {table}.{name}; the lists are {known}")
            yield from ((one, key) for one in phrases)


def _spellings(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a phrase as it is written, and with ``l·l`` as two words, as telephones without that sign make it."""
    yield words
    for index, word in enumerate(words):
        head, double, tail = word.partition("ll")
        if double and len(head) > 1 and len(tail) > 1 and word.startswith(("anul", "cancel")):
            yield (*words[:index], f"{head}l", f"l{tail}", *words[index + 1 :])


def _check(entries: Mapping[tuple[str, ...], tuple[Entry, ...]]) -> None:
    """Refuse a phrase that is two commands. Raises ValueError."""
    for words, found in entries.items():
        intents = {entry.intent for entry in found if entry.intent is not None}
        if len(intents) > 1:
            names = " and ".join(sorted(intents))
            raise ValueError(f'lexicon: "{" ".join(words)}" means {names}: take it out of all lists but one')


_CORRECTED: Final = frozenset({Intent.CONFIRM, Intent.CANCEL, Intent.RESCHEDULE})


def _correctable(entries: Mapping[tuple[str, ...], tuple[Entry, ...]]) -> dict[str, frozenset[Intent]]:
    found: dict[str, frozenset[Intent]] = {}
    for words, meanings in entries.items():
        intents = frozenset(one for one in _CORRECTED if any(entry.intent is one for entry in meanings))
        if len(words) == 1 and intents and len(words[0]) >= CORRECTED_LETTERS:
            found[words[0]] = intents
    return found
