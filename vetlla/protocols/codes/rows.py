"""Reads the rows of the code tables in ``tables/``."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

_TABLES: Final = files("vetlla.protocols") / "tables"


class Code(NamedTuple):
    """One row: the standard's name, what the number after the code is (zone, user, area ... or ""), kind and phase."""

    name: str
    address: str
    kind: Kind
    phase: Phase
    answer: str = ""
    """The protocol's answer as the decoder spells it; "" if there is none, or if the table does not decide it."""
    measures: tuple[str, ...] = ()
    """Names of the measurements in the fields after the code, in their order; "" for any other field."""


def read_rows(name: str) -> Iterable[dict[str, str]]:
    """Return the rows of a file in ``tables/``."""
    return csv.DictReader((_TABLES / name).read_text(encoding="utf-8").splitlines())


def read_code(row: dict[str, str]) -> Code:
    """Return a row as a Code; if it names no phase, the phase is NEW."""
    return Code(
        name=row["name"],
        address=row.get("address", ""),
        kind=Kind(row["kind"]),
        phase=Phase(row.get("phase", Phase.NEW)),
        answer=row.get("answer", ""),
        measures=tuple(name.strip("-") for name in row.get("measures", "").split()),
    )
