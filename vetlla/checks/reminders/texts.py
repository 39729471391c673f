"""Checks of the messages to citizens: what ``texts lint`` finds, and whether the offices approved the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.findings import Finding, Level, worst
from vetlla.service.reminders.texts.lint.run import lint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.reminders.texts.catalogue import Catalogue
    from vetlla.service.reminders.texts.lint.around import Around

CONSENT: Final = frozenset({"texts.not_approved", "texts.changed"})
COST: Final = "texts.segments"
"""A text of several SMS is the office's decision, and nothing to act on each day."""


def texts(catalogue: Catalogue, around: Around) -> Iterator[Finding]:
    """Check the texts, and their approvals."""
    found = lint(catalogue, around)
    consent = [one for one in found if one.check in CONSENT]
    costs = [one for one in found if one.check == COST]
    others = [one for one in found if one.check not in CONSENT and one.check != COST]
    text = f"{len(catalogue.texts)} texts, {len(costs)} of several SMS"
    if others:
        level = worst(others)
        first = next(one for one in others if one.level is level)
        text = f"{len(others)} findings, such as: {first.text}"
        yield Finding(check="texts", level=level, text=text, remedy="vetlla reminders texts lint shows all of them")
    else:
        yield Finding(check="texts", level=Level.OK, text=text)
    if around.approvals is not None:
        yield _approvals(consent)


def _approvals(consent: Sequence[Finding]) -> Finding:
    if not consent:
        return Finding(check="approvals", level=Level.OK, text="all parties approved the words of all texts")
    return Finding(
        check="approvals",
        level=worst(consent),
        text=f"{len(consent)} texts are not approved as they are, such as: {consent[0].text}",
        remedy="vetlla reminders texts approvals shows which; texts approve records an approval",
    )
