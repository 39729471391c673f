"""Rows of the code tables in ``tables/``: what every table of codes is made of."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

_TABLES: Final = files("vetlla.protocols") / "tables"


class Code(NamedTuple):
    """One row: the standard's name, what the number behind the code counts (zone, user, area ... or ""), our words."""

    name: str
    address: str
    kind: Kind
    phase: Phase
    answer: str = ""
    """What its protocol answers, as the decoder spells it; "" where that is nothing, or not the table's to say."""
    measures: tuple[str, ...] = ()
    """Names of the measurements that the fields behind the code hold, in their order; "" for any other field."""


def read_rows(name: str) -> Iterable[dict[str, str]]:
    """Return the rows of a file in ``tables/``."""
    return csv.DictReader((_TABLES / name).read_text(encoding="utf-8").splitlines())


def read_code(row: dict[str, str]) -> Code:
    """Return a row that says what its code means; without a phase it is something new."""
    return Code(
        name=row["name"],
        address=row.get("address", ""),
        kind=Kind(row["kind"]),
        phase=Phase(row.get("phase", Phase.NEW)),
        answer=row.get("answer", ""),
        measures=tuple(name.strip("-") for name in row.get("measures", "").split()),
    )
