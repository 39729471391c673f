"""Finds codes that differ only in leading zeros, because a spreadsheet may have turned one into a number.

``0123`` and ``123`` may be two homes. So a pair is reported, but never refused, joined or corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.columns import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Zeros:
    """Finds such pairs among the codes of a file, and between codes of the file and registered codes.

    Only codes of the same column and group are compared. The serials of each type of device, for example, are a group.
    """

    def __init__(self) -> None:
        self.found: list[Fault] = []
        """Each pair once, with the row of the file in which it was found."""
        self._first: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._told: set[tuple[str, str, str]] = set()

    def see(self, row: int, column: str, code: str, group: str = "") -> None:
        """Add a code of the file."""
        if code.isdecimal():
            before, where = self._first.setdefault((column, group, code.lstrip("0")), (code, row))
            if before != code:
                self._tell(Fault(row, column, code, f"differs from {before} in row {where}"), before)

    def compare(self, column: str, group: str, code: str) -> None:
        """Compare a registered code with the file. Call it after the whole file was added."""
        ours, row = self._first.get((column, group, code.lstrip("0")), (code, 0))
        if ours != code:
            self._tell(Fault(row, column, ours, f"differs from {code}, which is registered,"), code)

    def _tell(self, fault: Fault, other: str) -> None:
        pair = (fault.column, min(fault.value, other), max(fault.value, other))
        if pair not in self._told:
            self._told.add(pair)
            reason = f"{fault.reason} only in leading zeros: did a spreadsheet lose them?"
            self.found.append(fault._replace(reason=reason))


def pairs(codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each pair of codes that differ only in leading zeros: the shorter one, then a longer one."""
    first: dict[str, str] = {}
    for code in sorted({code for code in codes if code.isdecimal()}, key=len):
        shorter = first.setdefault(code.lstrip("0"), code)
        if shorter != code:
            yield shorter, code
