"""What a citizen's reply means.

The rule is not the same for both answers. A wrong confirmation is cheap, but a wrong cancellation throws a citizen's
place away. So a reply cancels only if the lexicon explains all of it, and nothing in it says the opposite. A reply that
could be a command is asked back, and any other reply goes to a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.reminders.lexicon import BOTH, CORRECTED_LETTERS, Entry, Intent, Part
from vetlla.service.reminders.words import is_question, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.service.reminders.lexicon import Lexicon

COMMAND_WORDS: Final = 6
"""Most words of a command, without courtesy. A longer reply tells something, and a person reads it."""
READ_WORDS: Final = 60
"""Most words that are read of a reply. A longer reply is not a command."""
NUMBER_DIGITS: Final = 3
WAYS: Final = 200
"""Most ways to take a reply apart that are tried. A reply with more is not a command."""
CHOICE: Final = {1: Intent.CONFIRM, 2: Intent.CANCEL}
"""Numbers that a message about one appointment offers."""
_DECISIVE: Final = frozenset({Intent.CONFIRM, Intent.CANCEL})
_LETTERS: Final = {
    Part.COURTESY: "K",
    Part.NO: "N",
    Part.DETAIL: "D",
    Part.COMMAND: "C",
    Part.VERB: "V",
    Part.WISH: "W",
    Part.OBJECT: "O",
    Part.NUMBER: "#",
    Part.BEFORE_NUMBER: "B",
    Part.ALL: "A",
}
_ORDER: Final = re.compile(r"(?:K|N|D|[WO]*VO?(?:B?\#|A)?|CO?(?:B?\#|A)?|B?\#|A)*")
"""Orders of parts that make sense: an object or a wish needs its verb."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the citizen was asked with the last message."""

    awaiting: int = 1
    """Number of appointments that wait for an answer."""
    offered: frozenset[int] = frozenset()
    """Numbers that the message showed: of the appointments, or the choices of a single one."""
    is_yes_no: bool = False
    """True if "no" was named as the answer that cancels the only appointment."""
    wanted: Intent | None = None
    """What was asked to be done with the number: "which one do you want to cancel?"."""


PLAIN: Final = Question()
"""A reminder of one appointment, which showed no numbers."""


class Understood(NamedTuple):
    """The meaning of a reply."""

    intent: Intent
    language: str | None = None
    """The language of the words, or the one that was asked for; None if the words belong to both."""
    number: int | None = None
    """An offered number that the reply names."""
    sure: bool = False
    """True if it can be carried out without a question."""
    is_all: bool = False
    """True if all offered appointments are meant."""


class _Piece(NamedTuple):
    """Some words of a reply, and their meaning."""

    entry: Entry
    words: int
    number: int | None = None


_DIGITS: Final = Entry(Part.NUMBER, frozenset())


_OWN_NO: Final = re.compile(r"\bno\s*[,.;:!\u00a1\n\u2026\u2013\u2014-]+\s*", re.IGNORECASE)
"""A "no" with a mark behind it, which stands for itself."""
_CANCEL_STEMS: Final = ("anul", "cancel")
_NOUN_ENDINGS: Final = ("cio", "cion")
"""Of "anul·lació" and "cancelación", as ``words_of`` writes them."""


def understand(text: str, lexicon: Lexicon, question: Question = PLAIN) -> Understood:
    """Return what a reply means as the answer to a question."""
    reading = _understood(text, lexicon, question)
    if reading.intent is Intent.CANCEL and _is_doubtful(text, lexicon, question):
        return Understood(Intent.ASK, reading.language)
    return reading


def _is_doubtful(text: str, lexicon: Lexicon, question: Question) -> bool:
    """Return True if what reads as a cancellation may be the contrary.

    "No, vindré" says that the person will come, and "no vindré" that she will not: the comma decides, and people leave
    it out or put it in as they like. So a "no" that stands for itself must be followed by a cancellation. "Anul·lar
    l'anul·lació" takes a cancellation back.
    """
    *_, rest = _OWN_NO.split(text)
    if rest != text and rest.strip() and _understood(rest, lexicon, question).intent is not Intent.CANCEL:
        return True
    about = [word for word in words_of(text) if word.startswith(_CANCEL_STEMS)]
    return len(about) > 1 and any(word.endswith(_NOUN_ENDINGS) for word in about)


def _understood(text: str, lexicon: Lexicon, question: Question) -> Understood:
    words = words_of(text)
    if not words:
        return Understood(Intent.HELP, sure=True) if text.strip() in {"?", "¿"} else Understood(Intent.NONE)
    if len(words) > READ_WORDS:
        return Understood(Intent.NONE)
    words = [_corrected(word, lexicon) for word in words]
    pieces = _explained(words, lexicon)
    if pieces is None:
        return _unexplained(words, lexicon, is_asking=is_question(text))
    if is_question(text) and not _only_help(pieces):
        return Understood(Intent.NONE, _language(pieces))
    return _explained_reading(pieces, question)


def _explained_reading(pieces: Sequence[_Piece], question: Question) -> Understood:
    language = _language(pieces)
    commands = [piece for piece in pieces if piece.entry.intent is not None]
    intents = {piece.entry.intent for piece in commands if piece.entry.intent is not None}
    parts = {piece.entry.part for piece in pieces}
    if Intent.RESCHEDULE in intents:
        return Understood(Intent.RESCHEDULE, language, sure=len(intents) == 1 and Part.NO not in parts)
    numbers = {piece.number for piece in pieces if piece.number is not None}
    number = next(iter(numbers), None)
    is_both = any(piece.entry.part is Part.ALL and piece.entry.value == BOTH for piece in pieces)
    if (
        _contradicts(parts, intents, numbers)
        or (number is not None and number not in question.offered)
        or (is_both and question.awaiting != int(BOTH))
    ):
        return Understood(Intent.ASK, language)
    if not intents:
        return _without_command(language, number, question, parts)
    (intent,) = intents
    if intent not in _DECISIVE:
        is_plain = number is None and parts.isdisjoint({Part.NO, Part.ALL})
        return _other(commands, intent, language) if is_plain else Understood(Intent.ASK, language)
    # "No, no puc venir" says it twice; but "no, anul·leu" and "no confirmo" may mean either.
    is_negative = intent is Intent.CANCEL and all(piece.entry.part is Part.COMMAND for piece in commands)
    if Part.NO in parts and not is_negative:
        return Understood(Intent.ASK, language)
    return _decision(intent, language, number, question, is_all=Part.ALL in parts)


def _contradicts(parts: set[Part], intents: set[Intent], numbers: set[int]) -> bool:
    """Return True if a reply says two things, or more than the command explains."""
    return (
        len(intents) > 1
        or len(numbers) > 1
        or (Part.ALL in parts and bool(numbers))
        or (Part.DETAIL in parts and intents != {Intent.CONFIRM})
    )


def _decision(
    intent: Intent, language: str | None, number: int | None, question: Question, *, is_all: bool
) -> Understood:
    """Return a confirmation or cancellation, which is sure if it is clear which appointment is meant."""
    if question.awaiting == 1:
        if number is not None and CHOICE.get(number) is not intent:
            return Understood(Intent.ASK, language)
        return Understood(intent, language, number, sure=True)
    if is_all and not question.offered:
        return Understood(Intent.ASK, language)
    return Understood(
        intent, language, number, sure=question.awaiting > 1 and (number is not None or is_all), is_all=is_all
    )


def _without_command(language: str | None, number: int | None, question: Question, parts: set[Part]) -> Understood:
    has_no, is_all = Part.NO in parts, Part.ALL in parts
    if has_no and number is None and not is_all:
        is_answer = question.is_yes_no and question.awaiting == 1
        return Understood(Intent.CANCEL if is_answer else Intent.ASK, language, sure=is_answer)
    if number is not None and not has_no:
        if question.awaiting > 1 and question.wanted is not None:
            return Understood(question.wanted, language, number, sure=True)
        if question.awaiting == 1 and number in CHOICE:
            return Understood(CHOICE[number], language, number, sure=True)
        return Understood(Intent.ASK, language, number)
    return Understood(Intent.ASK if has_no or is_all else Intent.NONE, language)


def _other(commands: Sequence[_Piece], intent: Intent, language: str | None) -> Understood:
    """Return a command that concerns no appointment."""
    if intent is not Intent.LANGUAGE:
        return Understood(intent, language, sure=True)
    wanted = {piece.entry.value for piece in commands}
    return Understood(intent, wanted.pop(), sure=True) if len(wanted) == 1 else Understood(Intent.ASK)


def _unexplained(words: Sequence[str], lexicon: Lexicon, *, is_asking: bool) -> Understood:
    """Return the meaning of a reply of which the lexicon knows only a part: it never decides about an appointment."""
    known = list(_known(words, lexicon))
    language = _language(known)
    courtesy = sum(piece.words for piece in known if piece.entry.part is Part.COURTESY)
    if is_asking or len(words) - courtesy > COMMAND_WORDS:
        return Understood(Intent.NONE, language)
    intents = {piece.entry.intent for piece in known if piece.entry.intent is not None}
    if intents == {Intent.RESCHEDULE}:
        return Understood(Intent.RESCHEDULE, language)
    is_near = bool(intents) or any(piece.entry.part in {Part.NO, Part.NUMBER, Part.ALL} for piece in known)
    return Understood(Intent.ASK if is_near else Intent.NONE, language)


# --- the words of a reply, explained by the lexicon -----------------------------------------------------------------


def _explained(words: Sequence[str], lexicon: Lexicon) -> list[_Piece] | None:
    """Return the pieces that explain every word in an order that makes sense; None if there are none."""
    ways = islice(_ways(words, 0, lexicon), WAYS)
    return next((way for way in ways if _ORDER.fullmatch("".join(_LETTERS[piece.entry.part] for piece in way))), None)


def _ways(words: Sequence[str], start: int, lexicon: Lexicon) -> Iterator[list[_Piece]]:
    """Yield each way to take the words apart into phrases, longest phrases first."""
    if start == len(words):
        yield []
        return
    for piece in _phrases(words, start, lexicon):
        if piece.entry.part in _LETTERS:
            for rest in _ways(words, start + piece.words, lexicon):
                yield [piece, *rest]


def _phrases(words: Sequence[str], start: int, lexicon: Lexicon) -> Iterator[_Piece]:
    """Yield the phrases of the lexicon that begin at a word, the longest first."""
    for length in range(min(lexicon.longest, len(words) - start), 0, -1):
        for entry in lexicon.entries.get(tuple(words[start : start + length]), ()):
            yield _Piece(entry, length, int(entry.value) if entry.part is Part.NUMBER else None)
    if words[start].isascii() and words[start].isdigit() and len(words[start]) <= NUMBER_DIGITS:
        yield _Piece(_DIGITS, 1, int(words[start]))


def _known(words: Sequence[str], lexicon: Lexicon) -> Iterator[_Piece]:
    """Yield the phrases that a reply holds, whatever stands between them."""
    start = 0
    while start < len(words):
        piece = next(_phrases(words, start, lexicon), None)
        if piece is not None:
            yield piece
        start += piece.words if piece is not None else 1


def _language(pieces: Iterable[_Piece]) -> str | None:
    """Return the only language that has every phrase; None if there are two, or none."""
    left = {"ca", "es"}
    for piece in pieces:
        if piece.entry.languages and piece.entry.intent is not Intent.LANGUAGE:
            left &= piece.entry.languages
    return left.pop() if len(left) == 1 else None


def _only_help(pieces: Sequence[_Piece]) -> bool:
    return all(piece.entry.intent is Intent.HELP or piece.entry.part is Part.COURTESY for piece in pieces)


def _corrected(word: str, lexicon: Lexicon) -> str:
    """Return the word of a command that was typed with one mistake, if it can be only one command's."""
    if len(word) < CORRECTED_LETTERS - 1 or word in lexicon.words or not word.isalpha():
        return word
    near = list(_within_one(word, lexicon.correctable))
    intents = {intent for known in near for intent in lexicon.correctable[known]}
    return near[0] if len(intents) == 1 else word


def _within_one(word: str, known: Iterable[str]) -> Iterator[str]:
    """Yield the known words at most one insertion, deletion, exchange or swap of neighbours away."""
    for one in known:
        if abs(len(one) - len(word)) <= 1 and _is_within_one(word, one):
            yield one


def _is_within_one(left: str, right: str) -> bool:
    begin = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), None)
    if begin is None:
        return True  # at most one letter longer
    one, other = left[begin:], right[begin:]
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:])
    )
