"""Checks of WhatsApp: the token, the number's quality, and each template that the texts use, in its language."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vetlla.checks.reminders.failures import failed
from vetlla.domain.errors import VetllaError
from vetlla.domain.failures import FailureAction
from vetlla.domain.findings import Finding, Level
from vetlla.gateways.contracts import RefusedError
from vetlla.gateways.http import HttpCaller
from vetlla.gateways.whatsapp.errors import failure_table
from vetlla.service.reminders.texts.lint.whatsapp import approved
from vetlla.worker.reminders.channels import whatsapp_gateway

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from vetlla.gateways.whatsapp.templates import NumberState, TemplateState
    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text
    from vetlla.settings.reminders.channels import WhatsApp

CATEGORY: Final = "UTILITY"
"""The category of messages about an appointment; Meta can change it, and then holds back what it calls marketing."""
_QUALITY: Final = {"YELLOW": Level.WARNING, "RED": Level.CRITICAL}
_ACCESS: Final = "make a new token of the system user, with whatsapp_business_messaging and _management: token_file"
_WAY: Final = "check base_url, version and the way to the Internet"


async def whatsapp(
    given: WhatsApp, texts: Sequence[Text], around: Around | None, unusable: Collection[tuple[str, str]]
) -> list[Finding]:
    """Ask Meta for the number and the templates. ``unusable`` names the templates that the service does not use now.

    Without ``around``, because the texts cannot be read, only the access and the number are checked.
    """
    http = HttpCaller()
    try:
        gateway = whatsapp_gateway(given, http)
        number = await gateway.number()
        states = await gateway.templates()
    except RefusedError as error:
        is_access = failure_table().action(error.code) is FailureAction.STOP_CHANNEL
        found = failed("whatsapp", error, _WAY)
        return [replace(found, remedy=_ACCESS) if is_access else found]
    except VetllaError as error:
        return [failed("whatsapp", error, _WAY)]
    finally:
        await http.close()
    if around is None:
        return [_number(number)]
    ours = {code: str(language) for language, code in given.languages.items()}
    known = {(one.name, ours.get(one.language, one.language)): one for one in states}
    refused = {(name, ours.get(language, language)) for name, language in unusable}
    return [_number(number), *templates(texts, around, known, refused)]


def _number(number: NumberState) -> Finding:
    quality = number.quality.upper()
    return Finding(
        check="whatsapp",
        level=_QUALITY.get(quality, Level.OK),
        text=f"the token works; the number's quality is {quality or 'not told'}",
        remedy="citizens block or report the messages: WhatsApp Manager shows which" if quality in _QUALITY else "",
    )


def templates(
    texts: Sequence[Text],
    around: Around,
    states: Mapping[tuple[str, str], TemplateState],
    unusable: Collection[tuple[str, str]],
) -> Iterator[Finding]:
    """Check the templates of the texts that are sent; ``states`` has them by name and our own language."""
    known = replace(around, templates={key: one.status for key, one in states.items()})
    wanted = {
        (text.template, text.language): text for text in texts if text.is_template and text.template and not text.off
    }
    good = 0
    for (name, language), text in sorted(wanted.items()):
        check = f"template {name} {language}"
        missing = list(approved(text, known))
        if missing:
            why = states[name, language].reason if (name, language) in states else ""
            yield from (replace(one, check=check, text=one.text + (f" ({why})" if why else "")) for one in missing)
            continue
        good += 1
        yield from _of_template(check, states[name, language], is_unusable=(name, language) in unusable)
    if good == len(wanted):
        count = len({name for name, _ in wanted})
        languages = " and ".join(sorted({language for _, language in wanted}))
        yield Finding(check="templates", level=Level.OK, text=f"{count} are approved, in {languages}")


def _of_template(check: str, state: TemplateState, *, is_unusable: bool) -> Iterator[Finding]:
    if is_unusable:
        yield Finding(
            check=check,
            level=Level.WARNING,
            text="Meta approved it, but refused it earlier: its messages go by SMS",
            remedy="vetlla reminders channels resume whatsapp",
        )
    if state.category.upper() != CATEGORY:
        yield Finding(
            check=check,
            level=Level.WARNING,
            text=f"its category is {state.category}: Meta charges more for it and holds some messages back",
            remedy=f"ask Meta for a review as {CATEGORY}, or submit a new template that only tells of the appointment",
        )
    if state.useful_s is None:
        yield Finding(
            check=check,
            level=Level.WARNING,
            text="it has no validity: Meta delivers it for 30 days, also after the appointment",
            remedy="submit it with message_send_ttl_seconds, at most 43200",
        )
