"""Codes that differ in leading zeros only: a spreadsheet has turned one of them into a number.

``0123`` and ``123`` may be two homes. So a pair is told and never refused, joined or corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.columns import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Zeros:
    """Finds such pairs among the codes of a file, and between them and those that are registered.

    Codes of different columns have nothing to do with each other; nor have those of different groups, such as the
    serials of two types of device.
    """

    def __init__(self) -> None:
        self.found: list[Fault] = []
        """Each pair once, under the row of the file that it was found in."""
        self._first: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._told: set[tuple[str, str, str]] = set()

    def see(self, row: int, column: str, code: str, group: str = "") -> None:
        """Take in a code of the file."""
        if code.isdecimal():
            before, where = self._first.setdefault((column, group, code.lstrip("0")), (code, row))
            if before != code:
                self._tell(Fault(row, column, code, f"differs from {before} in row {where}"), before)

    def compare(self, column: str, group: str, code: str) -> None:
        """Take in a code that is registered, once the whole file was seen."""
        ours, row = self._first.get((column, group, code.lstrip("0")), (code, 0))
        if ours != code:
            self._tell(Fault(row, column, ours, f"differs from {code}, which is registered,"), code)

    def _tell(self, fault: Fault, other: str) -> None:
        pair = (fault.column, min(fault.value, other), max(fault.value, other))
        if pair not in self._told:
            self._told.add(pair)
            reason = f"{fault.reason} in leading zeros only: did a spreadsheet lose them?"
            self.found.append(fault._replace(reason=reason))


def pairs(codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the codes that differ in leading zeros only: the shorter one, a longer one."""
    first: dict[str, str] = {}
    for code in sorted({code for code in codes if code.isdecimal()}, key=len):
        shorter = first.setdefault(code.lstrip("0"), code)
        if shorter != code:
            yield shorter, code
