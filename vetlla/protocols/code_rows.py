"""Rows of the code tables in ``tables/``: what every table of codes is made of."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.signals import Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

_TABLES: Final = files("vetlla.protocols") / "tables"


class Code(NamedTuple):
    """One row: the standard's name, what the number behind the code counts (zone, user, area ... or ""), our words."""

    name: str
    address: str
    kind: Kind
    phase: Phase


def read_rows(name: str) -> Iterable[dict[str, str]]:
    """Return the rows of a file in ``tables/``."""
    return csv.DictReader((_TABLES / name).read_text(encoding="utf-8").splitlines())


def read_code(row: dict[str, str]) -> Code:
    """Return a row that says what its code means; without a phase it is something new."""
    return Code(row["name"], row.get("address", ""), Kind(row["kind"]), Phase(row.get("phase", Phase.NEW)))
