"""What WhatsApp demands of a template, and whether Meta approved it in this language."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import ConfigError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.texts import template
from vetlla.service.reminders.texts.examples import example_values, longest_day, places_of_use
from vetlla.service.reminders.texts.lint.around import finding
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text

_APPROVED: Final = "APPROVED"
_CAN_BE_PRESSED: Final = frozenset(
    {Intent.CONFIRM, Intent.CANCEL, Intent.LANGUAGE, Intent.RESCHEDULE, Intent.OPT_OUT, Intent.HELP}
)


def form(text: Text, around: Around) -> Iterator[Finding]:
    """Yield what Meta would refuse, and what only a template may have."""
    if not text.is_template:
        if text.template or text.buttons:
            said = "only a message that the city sends first, by WhatsApp, has template and buttons"
            yield finding("template", Level.CRITICAL, text, said, "take template and buttons out")
        return
    for said, remedy in template.faults(text):
        yield finding("template", Level.CRITICAL, text, said, remedy)
    if Place.LLISTA in text.places:
        said = "{llista} has line breaks, which a template's values must not have"
        yield finding("template", Level.CRITICAL, text, said, "take it out")
    for button in text.buttons:
        if button.action not in _CAN_BE_PRESSED:
            said = f"button {button.label!r} has the action {button.action}, which no button can have"
            yield finding("template", Level.CRITICAL, text, said, f"use {', '.join(sorted(_CAN_BE_PRESSED))}")
    length = max(_lengths(text, around), default=len(text.text))
    if length > template.BODY_MAX:
        said = f"it has up to {length} characters"
        yield finding("template", Level.CRITICAL, text, said, f"keep at most {template.BODY_MAX}", characters=length)


def approved(text: Text, around: Around) -> Iterator[Finding]:
    """Yield a template that Meta did not approve in the text's language: a request for it is refused (132001)."""
    if around.templates is None or not text.is_template or text.off or not text.template:
        return
    status = around.templates.get((text.template, text.language))
    if status is None:
        said = f"Meta has no template {text.template} in {text.language}"
        yield finding("template_not_approved", Level.CRITICAL, text, said, "submit it, and wait for the approval")
    elif status.upper() != _APPROVED:
        said = f"Meta's status of template {text.template} in {text.language} is {status}"
        yield finding("template_not_approved", Level.CRITICAL, text, said, "correct it at Meta, and wait")


def shared(texts: Sequence[Text], _: Around) -> Iterator[Finding]:
    """Yield texts that name the same template with other words: Meta sends the words that it approved."""
    by_name: defaultdict[tuple[str, str], list[Text]] = defaultdict(list)
    for text in texts:
        if text.channel is Channel.WHATSAPP and text.template:
            by_name[text.template, text.language].append(text)
    for (name, _language), several in by_name.items():
        first, *others = several
        for other in others:
            if (other.text, other.buttons) != (first.text, first.buttons):
                said = f"template {name} has other words in {first.title}"
                yield finding("template", Level.CRITICAL, other, said, "give this text a template of its own")


def _lengths(text: Text, around: Around) -> Iterator[int]:
    for office, service in places_of_use(text, around.directory):
        try:
            values = example_values(text, around.directory, office, service, longest_day(text))
            yield len(render(text, values).text)
        except ConfigError:
            continue  # the rule of values reports it
