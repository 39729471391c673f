"""The words of a text: its places, its characters, and the replies that it tells people to send."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import PLAIN, understand
from vetlla.service.reminders.texts.folding import fold
from vetlla.service.reminders.texts.lint.around import finding
from vetlla.service.reminders.texts.offices import Naming
from vetlla.service.reminders.texts.places import TELLING, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text

_ASKING: Final = {
    "ca": re.compile(r"\b(?:respone[um]|contesteu|escriviu|envieu)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:responda|conteste|escriba|env[ií]e)\b", re.IGNORECASE),
}
"""Words that ask for a reply."""
_CAPITALS: Final = re.compile(r"(?<![\w·])[^\W\d_a-z](?:[^\W\d_a-zà-öø-ÿ]|·)+(?![\w·])")
"""Matches a word of at least two capitals."""
_CONTACTS: Final = frozenset({Place.TELEFON, Place.ENLLAC, Place.TELEFON_AJUDA})
_TWO_LS: Final = re.compile(r"(?<=[^\W\d_])(?:ŀ|l[.•‧∙⋅-]l)(?=[^\W\d_])", re.IGNORECASE)


def places(text: Text, _: Around) -> Iterator[Finding]:
    """Yield what is wrong with a text's places."""
    known = set(Place)
    for name in text.places:
        if name not in known:
            said = f"{{{name}}} is no place"
            yield finding("place_unknown", Level.CRITICAL, text, said, f"the places are {', '.join(Place)}")
        elif name not in text.purpose.places:
            said = f"{{{name}}} has no value in this message"
            yield finding("place_unknown", Level.CRITICAL, text, said, "take it out of the text")
        elif name in TELLING and not text.procedure:
            said = f"{{{name}}} tells the procedure"
            yield finding("procedure", Level.CRITICAL, text, said, "take it out, or write procedure = true")
    if set("{}") & set(text.without_places):
        yield finding("place_unknown", Level.CRITICAL, text, "a brace is open", "write a place as {hora}")
    for needed in text.purpose.needs:
        if needed.isdisjoint(text.places):
            said = f"it needs one of {', '.join(f'{{{name}}}' for name in sorted(needed))}"
            yield finding("place_missing", Level.CRITICAL, text, said, "put one of them into the text")


def hidden_procedures(text: Text, around: Around) -> Iterator[Finding]:
    """Yield the names of procedures that a text writes out although messages must not name them."""
    said = text.text.casefold()
    for service in around.directory.services.values():
        is_hidden = service.naming is Naming.HIDDEN or not text.procedure
        name = service.words(text.language).name
        if is_hidden and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", said):
            remedy = "leave the name out: the message can be read by others"
            yield finding("procedure", Level.CRITICAL, text, f"it names {name!r}", remedy)


def characters(text: Text, _: Around) -> Iterator[Finding]:
    """Yield characters that a text must not have."""
    wrong = [one for one in dict.fromkeys(text.text) if _is_forbidden(one)]
    if wrong:
        names = ", ".join(f"U+{ord(one):04X} {unicodedata.name(one, 'control character').lower()}" for one in wrong)
        yield finding("characters", Level.CRITICAL, text, f"it has {names}", "delete them: they cannot be seen")
    if found := _TWO_LS.search(text.text):
        remedy = "write l·l with the sign U+00B7"
        yield finding("characters", Level.WARNING, text, f"{found[0]!r} stands for l·l", remedy)


def replies(text: Text, around: Around) -> Iterator[Finding]:
    """Yield what is wrong with the words that a text tells people to send."""
    for intent, word in text.replies.items():
        if not re.search(rf"(?<![\w·]){re.escape(word)}(?![\w·])", text.text):
            yield finding("reply", Level.CRITICAL, text, f"its reply {word!r} is not in the text", "correct replies")
        for sent in {word, fold(word)}:
            reading = understand(sent, around.lexicon, text.purpose.question)
            if reading.intent is not intent or not reading.sure:
                said = f"the reply {sent!r} is not understood as {intent}"
                yield finding("reply", Level.CRITICAL, text, said, "use a word of the lexicon, or add it there")
            elif intent is Intent.LANGUAGE and reading.language == text.language:
                said = f"the reply {sent!r} asks for the language that the text is in"
                yield finding("reply", Level.CRITICAL, text, said, "name the other language")
    offered = set(text.replies)
    if not text.has_alias and (lacking := text.purpose.asks - offered):
        said = f"it does not tell how to {' or '.join(sorted(lacking))}"
        yield finding("reply", Level.CRITICAL, text, said, "tell which word to send, and write it into replies")
    yield from _undeclared(text, around)


def _undeclared(text: Text, around: Around) -> Iterator[Finding]:
    declared = " ".join(text.replies.values()).split()
    for word in dict.fromkeys(_CAPITALS.findall(text.without_places)):
        intent = understand(word, around.lexicon, PLAIN).intent
        if intent not in {Intent.NONE, Intent.ASK} and word not in declared:
            remedy = f'write it into replies: replies = {{ {intent} = "{word}" }}'
            yield finding("reply", Level.WARNING, text, f"{word!r} is a command that replies does not have", remedy)


def alias(text: Text, _: Around) -> Iterator[Finding]:
    """Yield wording that asks for a reply to an SMS that cannot be answered, and a missing contact."""
    if not text.has_alias:
        return
    if text.replies or _ASKING[text.language].search(text.without_places):
        said = "it asks for a reply, and a sender of letters cannot be answered"
        yield finding("alias", Level.CRITICAL, text, said, "give {telefon} or {enllac} instead")
    if _CONTACTS.isdisjoint(text.places):
        said = "it has neither telephone nor link, and cannot be answered"
        yield finding("alias", Level.CRITICAL, text, said, "put {telefon} or {enllac} into the text")


def unanswerable(text: Text, _: Around) -> Iterator[Finding]:
    """Yield an SMS for a number that tells people to reply without saying with which word."""
    is_asking = bool(_ASKING[text.language].search(text.without_places))
    if is_asking and not text.replies and text.channel is Channel.SMS and not text.has_alias:
        said = "it asks for a reply and does not say with which word"
        yield finding("reply", Level.WARNING, text, said, "write the word into the text and into replies")


def _is_forbidden(one: str) -> bool:
    """Return True for a control, invisible, private or unassigned character; a line break is none of them."""
    return one != "\n" and (unicodedata.category(one)[0] == "C" or one in "\u2028\u2029\ufffd")
