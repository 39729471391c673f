"""Suggestions for the lexicon, from replies that a person understood and the program did not.

A suggestion is never used by itself: a person who answers for the lexicon copies it there. A file of suggestions
has the lexicon's own form.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.reminders.replies import PLAIN, understand
from vetlla.service.reminders.texts.dates import LANGUAGES
from vetlla.service.reminders.words import words_of
from vetlla.store.reminders import audit, citizens, replies
from vetlla.store.sqlite.atomic import atomic
from vetlla.tables.target import finished
from vetlla.tasks.reminders.lexicon import load_lexicon

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from vetlla.service.reminders.lexicon import Lexicon
    from vetlla.service.reminders.replies import Question, Understood

LONGEST_PHRASE: Final = 80
"""Most characters of a phrase: longer sentences are never said twice in the same words."""
HEADER: Final = "# Suggestions for the lexicon, by `vetlla reminders inbox teach`. The program does not use them.\n"


class Teachable(StrEnum):
    """What the words of a reply can be taught to mean."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    RESCHEDULE = "reschedule"


class Suggestion(NamedTuple):
    """Words, and what they are to mean."""

    phrase: str
    intent: Teachable
    language: str
    """``ca`` or ``es``."""


class RecordedReply(NamedTuple):
    """A reply that was written down, to try a suggestion on."""

    text: str
    question: Question = PLAIN
    means: str = ""
    """What a clerk read in it; "" if no clerk did."""


class Reread(NamedTuple):
    """A recorded reply that the suggestion makes the program understand in another way."""

    recorded: RecordedReply
    before: Understood
    after: Understood

    @property
    def is_wrong(self) -> bool:
        """Return True if a clerk read something else in it than the program would now."""
        unclear = {"ask", "none", "unclear"}
        means, intent = self.recorded.means, self.after.intent.value
        return bool(means) and means != intent and not (means in unclear and intent in unclear)


class Taught(NamedTuple):
    """What a suggestion would change, and where it was written."""

    suggestion: Suggestion
    tried: int
    """How many recorded replies it was tried on."""
    changes: tuple[Reread, ...]
    file: Path | None
    """None if nothing was written."""


def suggestion_of(db: sqlite3.Connection, number: int, intent: Teachable, phrase: str, language: str) -> Suggestion:
    """Return a suggestion from a reply of the inbox; ``phrase`` is the part of it that matters, "" for all.

    ``language`` "" means the one that the citizen chose. Raises UsageError if the reply has no words that a lexicon can
    have, or if its language is not known.
    """
    entry = replies.inbox_entry(db, number)
    if entry is None:
        raise UsageError(f"reply {number} is not in the inbox", remedy="vetlla reminders inbox list")
    text = entry.reply.reply.text
    said = " ".join((phrase or text).split())
    if not words_of(said):
        raise UsageError(f"reply {number} has no words, or they are no longer kept", remedy="give --phrase WORDS")
    if not said.isprintable() or len(said) > LONGEST_PHRASE:
        raise UsageError(
            f"a phrase has at most {LONGEST_PHRASE} characters, all printable", remedy="give the part with --phrase"
        )
    person = entry.reply.citizen
    language = language or (citizens.citizen(db, person).language if person is not None else "")
    if language not in LANGUAGES:
        raise UsageError(f"it is not known in which language {said!r} is", remedy="give --language ca or --language es")
    return Suggestion(said, intent, language)


def teach(
    db: sqlite3.Connection,
    number: int,
    suggestion: Suggestion,
    recorded: Iterable[RecordedReply],
    folder: Path,
    *,
    lexicon: Path | None = None,
    by: str,
    now: datetime,
    dry_run: bool = False,
) -> Taught:
    """Try a suggestion on recorded replies, those of the database among them, and write it into ``folder``.

    The lexicon (``lexicon``, or the one that comes with the program) stays as it is. Raises UsageError if the phrase
    means something else already, there or among the suggestions.
    """
    _taught(lexicon, _with(_kept(folder, suggestion.language), suggestion), folder)
    before, after = load_lexicon(lexicon), _taught(lexicon, _with(_empty(suggestion.language), suggestion), folder)
    tried = [*recorded, *(RecordedReply(text) for text in replies.words_of_citizens(db))]
    changes = []
    for one in tried:
        was, would = (understand(one.text, words, one.question) for words in (before, after))
        if (was.intent, was.number, was.sure) != (would.intent, would.number, would.sure):
            changes.append(Reread(one, was, would))
    file = None
    if not dry_run:
        with atomic(db):
            replies.teach(db, number, suggestion.intent.value)
            detail = {"intent": suggestion.intent, "language": suggestion.language}
            audit.record(db, now, by, "taught", subject=f"reply {number}", detail=detail)
            # Read again, because another person may have taught meanwhile.
            file = _write(folder, _with(_kept(folder, suggestion.language), suggestion))
    return Taught(suggestion, len(tried), tuple(changes), file)


def _taught(lexicon: Path | None, document: Mapping[str, Any], folder: Path) -> Lexicon:
    """Return the lexicon as it would be with suggestions. Raises UsageError if they cannot be used."""
    try:
        return load_lexicon(lexicon, more=[document])
    except ConfigError as error:
        why = str(error.__cause__ or error)
        raise UsageError(
            f"the suggestion cannot be used: {why}",
            remedy=f"suggest another --phrase, or take the earlier suggestion out of {folder}",
        ) from error


# --- the files --------------------------------------------------------------------------------------------------------


def _empty(language: str) -> dict[str, Any]:
    return {"language": language}


def _kept(folder: Path, language: str) -> dict[str, Any]:
    file = folder / f"{language}.toml"
    try:
        return tomlfile.document(tomlfile.read(file))
    except FileNotFoundError:
        return _empty(language)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{file}: {why}", remedy="correct this file of suggestions, or move it away") from error


def _with(document: dict[str, Any], suggestion: Suggestion) -> dict[str, Any]:
    """Return a document of suggestions with one more; one of another form stays as it is, and is refused later."""
    before = document.get(suggestion.intent, {})
    phrases = before.get("phrases", []) if isinstance(before, dict) else None
    if not isinstance(phrases, list) or suggestion.phrase in phrases:
        return document
    return document | {suggestion.intent.value: {**before, "phrases": [*phrases, suggestion.phrase]}}


def _write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a document of lists of phrases; its form was checked as the lexicon's is."""
    folder.mkdir(mode=0o750, exist_ok=True)
    file = folder / f"{document['language']}.toml"
    lines = [HEADER, f"language = {_string(document['language'])}\n"]
    for table, lists in document.items():
        if table == "language":
            continue
        lines.append(f"\n[{table}]\n")
        for name, phrases in lists.items():
            lines += [f"{name} = [\n", *(f"  {_string(one)},\n" for one in phrases), "]\n"]
    with finished(file) as out:
        out.write("".join(lines).encode())
    return file


def _string(text: str) -> str:
    """Return a basic string of TOML; for printable text JSON's strings are the same."""
    return json.dumps(text, ensure_ascii=False)
