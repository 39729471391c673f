"""The documents that are owed, as a file describes them (``config/documents.toml``, which explains each key)."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from vetlla.domain.errors import UsageError
from vetlla.domain.tomlmodel import validated
from vetlla.service.duties.kinds import Name
from vetlla.service.parameters import Basis  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Mapping

Title: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
AFTER_MAX: Final = 400
"""Most days or months of a term: more than a year is a typing error."""


class RuleName(StrEnum):
    """When a document is due."""

    MONTHLY = "monthly"
    YEARLY = "yearly"
    EVERY = "every"
    ONCE = "once"
    END = "end"
    REQUEST = "request"


class TermUnit(StrEnum):
    """Units of a term."""

    NATURAL_DAYS = "natural days"
    WORKING_DAYS = "working days"
    MONTHS = "months"


_KEYS: Final = {
    RuleName.MONTHLY: {"after", "unit"},
    RuleName.YEARLY: {"on"},
    RuleName.EVERY: {"months", "after", "unit"},
    RuleName.ONCE: {"after", "unit"},
    RuleName.END: {"before", "unit"},
    RuleName.REQUEST: {"after", "unit"},
}
"""The keys that each rule needs; ``about`` is for yearly rules, and has a default."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DueRule(_Part):
    """One rule of a document."""

    rule: RuleName
    after: int | None = Field(default=None, ge=0, le=AFTER_MAX)
    before: int | None = Field(default=None, ge=0, le=AFTER_MAX)
    unit: TermUnit | None = None
    months: int | None = Field(default=None, ge=1, le=AFTER_MAX)
    on: Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")] | None = None
    about: Literal["same", "previous"] = "same"

    @model_validator(mode="after")
    def _agrees(self) -> DueRule:
        given = {name for name in ("after", "before", "unit", "months", "on") if getattr(self, name) is not None}
        needed = _KEYS[self.rule]
        if missing := sorted(needed - given):
            raise ValueError(f"rule {self.rule} needs {missing[0]}")
        if left := sorted(given - needed):
            raise ValueError(f"rule {self.rule} takes no {left[0]}")
        if self.about != "same" and self.rule is not RuleName.YEARLY:
            raise ValueError(f"rule {self.rule} takes no about")
        if self.rule is RuleName.END and self.unit is TermUnit.WORKING_DAYS:
            raise ValueError("rule end counts in natural days or months")
        return self


class Deliverable(_Part):
    """One document that is owed."""

    ca: Title
    en: Title
    basis: Basis
    clause: Title
    due: tuple[DueRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Deliverable:
        counts = Counter(rule.rule for rule in self.due)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"rule {twice[0]} is given twice")
        if RuleName.MONTHLY in counts and RuleName.EVERY in counts:
            raise ValueError("rules monthly and every would give two periods one name")
        return self

    def on_request(self) -> DueRule | None:
        """Return the rule of a request; None if it is not owed on request."""
        return next((rule for rule in self.due if rule.rule is RuleName.REQUEST), None)


class Deliverables:
    """All documents that are owed, by code."""

    def __init__(self, documents: Mapping[str, Deliverable]) -> None:
        self._documents = dict(documents)

    def codes(self) -> list[str]:
        """Return the codes in the order of the file."""
        return list(self._documents)

    def find(self, code: str) -> Deliverable | None:
        """Return the document of a code; None if there is none."""
        return self._documents.get(code)

    def document(self, code: str) -> Deliverable:
        """Return the document of a code. Raises UsageError if there is none."""
        found = self._documents.get(code)
        if found is None:
            raise UsageError(f"there is no document {code!r}", remedy="vetlla documents calendar has the codes")
        return found


_FILE: Final = TypeAdapter(dict[Name, Deliverable])


def parse_deliverables(document: Mapping[str, object], source: str) -> Deliverables:
    """Return the documents of a TOML document; ``source`` names the file in errors.

    Raises ConfigError with the table, the key and what is wrong with it.
    """
    remedy = "correct it; the installed documents.toml explains each key"
    found: dict[str, Deliverable] = validated(_FILE, document, source, remedy=remedy)
    return Deliverables(found)
