"""A language of documents: its words, and how it writes numbers and days. Both are data, in one file a language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.figures import Form

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from vetlla.domain.figures import CellValue, FigureColumn

NOTHING: Final = "\u2013"
"""Shown where a figure does not exist."""
_TENTH, _CENT = Decimal("0.1"), Decimal("0.01")
_NO_BREAK, _MINUS = "\u00a0", "\u2212"


class Language(StrEnum):
    """A language in which documents can be had."""

    CA = "ca"
    ES = "es"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one kind of document in one language."""

    language: StrEnum
    """A ``Language``, or another one that has a file of its own."""
    data: Mapping[str, Any]

    def text(self, name: str, **values: str) -> str:
        """Return a sentence of the page with its values."""
        return str(self.data["page"][name]).format(**values)

    def title(self, table: str) -> str:
        """Return the title of a table."""
        return str(self.data["tables"][table]["title"])

    def told(self, table: str) -> str:
        """Return what a table counts, of what, and which moment decides."""
        return str(self.data["tables"][table]["text"])

    def heading(self, column: str) -> str:
        """Return the heading of a column."""
        return str(self.data["columns"][column])

    def word(self, column: str, value: str) -> str:
        """Return one of our words as people say it; a word that the file does not know stays as it is."""
        words = self.data["words"]
        return str(words.get(column, {}).get(value) or words["any"].get(value, value))

    # --- numbers and days ---------------------------------------------------------------------------------------------

    def shown(self, column: FigureColumn, value: CellValue) -> str:
        """Return the value of a column as people read it."""
        if value is None:
            return NOTHING
        if isinstance(value, Decimal):
            return self._decimal(column.form, value)
        if isinstance(value, int):
            return self.number(value)
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, date):
            return self.short_day(value)
        is_ours = column.form is Form.WORD or value == "total"
        return self.word(column.name, value) if is_ours else value

    def _decimal(self, form: Form, value: Decimal) -> str:
        if form is Form.SHARE:
            return self.percent(value)
        if form is Form.POINTS:
            return self._grouped(f"{_rounded(value * 100, _TENTH):+f}")
        if form is Form.EUR:
            return self._with_sign("euro", "€", self._grouped(f"{_rounded(value, _CENT):f}"))
        return self._grouped(f"{value:f}")

    def number(self, value: int) -> str:
        """Return a whole number."""
        return self._grouped(str(value))

    def percent(self, value: Decimal) -> str:
        """Return a share in percent, to a tenth."""
        return self.with_percent(self._grouped(f"{_rounded(value * 100, _TENTH):f}"))

    def with_percent(self, number: str) -> str:
        """Return a number that is written already with the sign of percent."""
        return self._with_sign("percent", "%", number)

    def day(self, day: date) -> str:
        """Return a day with the name of its month."""
        return str(self.data["dates"]["long"]).format(
            day=day.day, month=self.data["dates"]["months"][day.month - 1], year=day.year
        )

    def time(self, hour: int, minute: int) -> str:
        """Return a time of day."""
        return str(self.data["dates"]["time"]).format(hour=hour, minute=f"{minute:02}")

    def short_day(self, day: date) -> str:
        """Return a day in numbers."""
        return f"{day.day}/{day.month}/{day.year}"

    def moment(self, at: datetime) -> str:
        """Return a day in numbers and the time of day, to the second."""
        return f"{self.short_day(at)} {at:%H:%M:%S}"

    def _with_sign(self, name: str, sign: str, number: str) -> str:
        """Return a number with a sign where the language has it: ``numbers.NAME`` of its file, else behind a space."""
        form = str(self.data["numbers"].get(name, f"{{number}}{_NO_BREAK}{sign}"))
        minus = _MINUS if number.startswith(_MINUS) else ""
        return minus + form.format(number=number.removeprefix(minus))

    def _grouped(self, plain: str) -> str:
        """Return digits in groups of three, with the language's signs. A minus is as wide as a plus."""
        whole, _, rest = plain.replace("-", _MINUS).partition(".")
        sign = whole[:1] if whole[:1] in {"+", _MINUS} else ""
        grouped = f"{int(whole[len(sign) :]):,}".replace(",", self.data["numbers"]["thousands"])
        return sign + grouped + (self.data["numbers"]["decimal"] + rest if rest else "")


def words_of(folder: Traversable, language: StrEnum) -> Words:
    """Return the words of a language from ``<language>.toml`` of a folder."""
    file = folder / f"{language.value}.toml"
    return Words(language=language, data=tomllib.loads(file.read_text(encoding="utf-8")))


def _rounded(value: Decimal, to: Decimal) -> Decimal:
    return value.quantize(to, ROUND_HALF_UP)
