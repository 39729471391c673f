"""Every text exists in both languages and for both channels, and each variant belongs to something that exists."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts.dates import LANGUAGES
from vetlla.service.reminders.texts.lint.around import finding
from vetlla.service.reminders.texts.names import PURPOSES
from vetlla.service.reminders.texts.offices import Naming
from vetlla.service.reminders.texts.text import SenderKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text


def missing(texts: Sequence[Text], around: Around) -> Iterator[Finding]:
    """Yield each text that must exist for all offices, without the procedure, and does not."""
    there = {text.key for text in texts}
    for (name, purpose), channel, language in product(PURPOSES.items(), Channel, LANGUAGES):
        senders = [SenderKind.NUMBER]
        if (channel, around.sender) == (Channel.SMS, SenderKind.ALIAS) and purpose.is_template and purpose.asks:
            senders = [SenderKind.ALIAS]
        for sender in senders:
            if (name, channel, language, "", "", False, sender) in there:
                continue
            others = {
                text.language for text in texts if (text.name, text.channel, text.sender) == (name, channel, sender)
            }
            check = "language_missing" if others - {language} else "channel_missing"
            word = " for a sender that cannot be answered" if sender is SenderKind.ALIAS else ""
            yield Finding(
                check=f"texts.{check}",
                level=Level.CRITICAL,
                text=f"{language} {channel} {name}: there is no text for all offices{word}",
                remedy="add it, without office, service and procedure; the shipped files have one",
            )


def variants(texts: Sequence[Text], around: Around) -> Iterator[Finding]:
    """Yield each variant that exists in one language only, or that is never used."""
    there = {text.key for text in texts}
    offices, services = around.directory.offices, around.directory.services
    for text in texts:
        twins = {(text.name, text.channel, language, *text.key[3:]) for language in LANGUAGES}
        if (text.office or text.service or text.procedure) and twins - there:
            other = next(language for language in LANGUAGES if language != text.language)
            yield finding(
                "language_missing",
                Level.WARNING,
                text,
                f"this variant does not exist in {other}",
                f"write it in {other} too, or its readers get the text for all",
            )
        if text.office and text.office not in offices:
            yield finding("never_used", Level.WARNING, text, "no office has this id", "correct the id of the office")
        service = services.get(text.service)
        if text.service and service is None:
            yield finding("never_used", Level.WARNING, text, "no service has this id", "correct the id of the service")
        elif service is not None and text.procedure and service.naming is Naming.HIDDEN:
            remedy = 'write procedure = false and a text that does not tell it, or naming = "named" in offices.toml'
            yield finding("never_used", Level.WARNING, text, "messages must not name this procedure", remedy)
