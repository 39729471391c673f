"""How faults are counted: what tender 20220428 says in 17 and 22, and the parameters for what it leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError
from vetlla.domain.money import cents
from vetlla.domain.sanctions import FaultClass
from vetlla.service.sanctions.windows import YEAR_MONTHS, always, natural_year, rolling, rolling_months

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from decimal import Decimal

    from vetlla.service.parameters import Reading

GRAVE_MONTHS: Final = 3
"""17: "la reiteració de tres mesos en el termini d'un any" is grave."""
VERY_GRAVE_MONTHS: Final = 7
"""17: "la reiteració en més de sis mesos en el termini d'un any" is very grave."""
CONSECUTIVE_MONTHS: Final = 5
ALTERNATE_MONTHS: Final = 7
"""22: "5 mesos consecutius o 7 mesos alternatius" are a cause of termination."""
OBLIGATIONS: Final = (("S10", 1), ("S28", 4), ("S44", 10))
"""17: obligations missed "entre 1 i 3 vegades", "entre 4 i 9 vegades", "més de 9 vegades": the fault, and from when."""
ACCUMULATED: Final = 3
"""17: three minor faults in six months are a grave one, three grave ones a very grave one."""
SHARE_OF_TENDER: Final = 80
"""16.11: the share that every contractor owes. Only a higher one is an offered improvement (13.2.b)."""
WORSE_PERCENT: Final = 150
"""17: the time of arrival exceeded by more than 50 %."""

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "sanctions.year": ("rolling", "natural"),
    "sanctions.same_standard": ("yes", "no"),
    "sanctions.same_obligation": ("yes", "no"),
    "sanctions.not_measured": ("apart", "missed"),
    "sanctions.empty_ends_run": ("no", "yes"),
    "sanctions.alternate_within": ("contract", "year"),
    "sanctions.accumulation": ("each", "once"),
    "sanctions.arrival": ("case", "average"),
    "sanctions.base": ("net", "gross"),
}
"""Parameter of each question that the tender leaves open -> its two answers."""


DOCUMENT_FAULTS: Final[Mapping[str, str]] = {
    "S26": "technical_documents",
    "S46": "special_documents",
    "S47": "pay_documents",
}
"""Fault of a late document that is graver than S03 -> the parameter, without ``sanctions``, that names its documents.

17: "la documentació tècnica requerida" is grave. "L'incompliment de les condicions especials d'execució" (those of 18)
and "La no presentació dels documents acreditatius de la retribució del personal" are very grave.
"""


class PenaltyTerms(NamedTuple):
    """How a penalty grows."""

    price: Decimal
    """Euros without VAT."""
    monthly: Decimal
    """Percent of the price for each month that has begun."""
    most: Decimal
    """Percent that it does not exceed."""

    @property
    def ceiling(self) -> Decimal:
        """Most euros."""
        return self.euros(self.most)

    def euros(self, percent: Decimal) -> Decimal:
        """Return a percentage of the price, to the cent."""
        return cents(self.price * percent / 100)


class SanctionTerms(NamedTuple):
    """The answers in force, and the ceilings."""

    answers: Mapping[str, str]
    ceilings: Mapping[FaultClass, Decimal]
    """Class -> most euros of a sanction."""
    penalty: PenaltyTerms
    """Of section 18."""
    offered_share: int
    """Percentage of ANS 11 that was offered."""
    not_agreed: frozenset[str]
    """Names of the parameters that no contract says."""

    def is_(self, name: str, answer: str) -> bool:
        """Return True if a question has this answer; ``name`` is without ``sanctions``."""
        return self.answers[f"sanctions.{name}"] == answer

    @property
    def year_of_days(self) -> Callable[[date], date]:
        """The begin of the year that ends with a day."""
        return natural_year if self.is_("year", "natural") else rolling(YEAR_MONTHS)

    @property
    def year_of_months(self) -> Callable[[date], date]:
        """The begin of the year that ends with a month."""
        return natural_year if self.is_("year", "natural") else rolling_months(YEAR_MONTHS)

    @property
    def alternate(self) -> Callable[[date], date]:
        """The begin of the time in which alternate months are counted."""
        return always if self.is_("alternate_within", "contract") else self.year_of_months

    def behind(self, *names: str) -> tuple[str, ...]:
        """Return which of the parameters (named without ``sanctions``) no contract says."""
        full = {f"sanctions.{name}" for name in names}
        return tuple(sorted(full & self.not_agreed))


def document_faults(reading: Reading) -> dict[str, str]:
    """Return the fault of each document whose delay is graver than S03, by its code.

    Raises ConfigError if a document has two faults.
    """
    found: dict[str, str] = {}
    for fault, name in DOCUMENT_FAULTS.items():
        for code in reading.names(f"sanctions.{name}"):
            if found.setdefault(code, fault) != fault:
                raise ConfigError(
                    f"a late {code} is {found[code]} and {fault}",
                    remedy=f"leave it out of sanctions.{name}, or of the other parameter of documents",
                )
    return found


def terms(reading: Reading) -> SanctionTerms:
    """Return how faults are counted. Raises ConfigError for an answer that is none, or a missing parameter."""
    answers = {name: reading.choice(name, words) for name, words in NAMES.items()}
    base = reading.money(f"sanctions.base.{answers['sanctions.base']}")
    ceilings = {
        one: cents(base * reading.money(f"sanctions.ceiling.{one}") / 100)
        for one in (FaultClass.MINOR, FaultClass.GRAVE, FaultClass.VERY_GRAVE)
    }
    section_18 = "sanctions.section_18"
    penalty = PenaltyTerms(
        price=reading.money("sanctions.price"),
        monthly=reading.money(f"{section_18}.monthly"),
        most=reading.money(f"{section_18}.most"),
    )
    ceilings[FaultClass.PENALTY] = penalty.ceiling
    document_faults(reading)
    offered = reading.integer("umo.offered_share")
    return SanctionTerms(answers, ceilings, penalty, offered, frozenset(reading.assumed()))
