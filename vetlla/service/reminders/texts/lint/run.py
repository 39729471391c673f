"""All rules, over all texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.findings import Finding, Level
from vetlla.service.reminders.texts.lint import consent, coverage, sms, whatsapp, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vetlla.service.reminders.texts.catalogue import Catalogue
    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text

OF_ALL: Final[tuple[Callable[[Sequence[Text], Around], Iterator[Finding]], ...]] = (
    coverage.missing,
    coverage.variants,
    whatsapp.shared,
)
"""Rules that compare the texts with each other."""
OF_ONE: Final[tuple[Callable[[Text, Around], Iterator[Finding]], ...]] = (
    wording.places,
    wording.hidden_procedures,
    wording.characters,
    wording.replies,
    wording.alias,
    wording.unanswerable,
    whatsapp.form,
    whatsapp.approved,
    sms.values,
    sms.cost,
    consent.approved,
)
"""Rules about one text."""


def lint(catalogue: Catalogue, around: Around) -> list[Finding]:
    """Return everything that is wrong with the texts; CRITICAL for what must not be sent, WARNING for what costs."""
    found = [finding for rule in OF_ALL for finding in rule(catalogue.texts, around)]
    found += [finding for text in catalogue.texts for rule in OF_ONE for finding in rule(text, around)]
    if not around.directory.offices:
        said = "there is no office, so that length and cost of the texts are not known"
        found.append(
            Finding(check="texts.offices", level=Level.UNKNOWN, text=said, remedy="give offices.toml with --offices")
        )
    return found
