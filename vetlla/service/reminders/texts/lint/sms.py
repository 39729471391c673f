"""What a text costs as SMS, and why; and whether every office has the values for its places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.domain.segments import outside_gsm_7, segments_of
from vetlla.service.reminders.texts.examples import example_values, longest_day, places_of_use
from vetlla.service.reminders.texts.folding import fold
from vetlla.service.reminders.texts.lint.around import finding
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.rendering import render
from vetlla.service.reminders.texts.text import SmsEncoding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.service.reminders.texts.text import Text


def costliest(text: Text, directory: Directory) -> str:
    """Return a text as the office with the longest words sends it on the day with the longest name.

    Return "" if no office can send it.
    """
    return max(_rendered(text, directory), key=lambda said: segments_of(said)[1:], default="")


def cost(text: Text, around: Around) -> Iterator[Finding]:
    """Yield an SMS of more than one segment, with the characters that cause it."""
    if text.channel is not Channel.SMS:
        return
    longest = costliest(text, around.directory)
    found = segments_of(longest)
    if found.segments == 1:
        return
    folded = segments_of(fold(longest)).segments
    said = f"this text costs {found.segments} segments"
    if causes := outside_gsm_7(longest):
        said += " because of " + ", ".join(f"\u2018{one}\u2019" for one in causes)
        is_cheaper = text.sms_encoding is SmsEncoding.EXACT and folded < found.segments
        fold_it = f'write sms_encoding = "fold" for {folded}, or use other words'
        remedy = fold_it if is_cheaper else "use other words: these signs cannot be folded"
    else:
        said += f": it has {found.units} characters, and one segment has 160"
        remedy = "shorten it"
    if Place.LLISTA in text.places:
        said += " (with two appointments)"
    figures = {"segments": found.segments, "folded": folded, "units": found.units}
    yield finding("segments", Level.WARNING, text, said, remedy, **figures)


def values(text: Text, around: Around) -> Iterator[Finding]:
    """Yield each office or procedure that lacks a value for one of the text's places."""
    if text.off or not set(text.places) <= set(text.purpose.places):
        return  # the rule of places reports what it does not know
    for office, service in places_of_use(text, around.directory):
        try:
            render(text, example_values(text, around.directory, office, service))
        except ConfigError as error:
            used_by = f"office {office}" + (f", service {service}" if service else "")
            said = error.args[0].removeprefix(f"text {text.title}: ")
            yield finding("value_missing", Level.WARNING, text, f"{used_by}: {said}", error.remedy)


def _rendered(text: Text, directory: Directory) -> Iterator[str]:
    for office, service in places_of_use(text, directory):
        try:
            yield render(text, example_values(text, directory, office, service, longest_day(text))).text
        except ConfigError:
            continue  # the rule of values reports it
