"""Bounds of an import. A file beyond a bound is refused with that bound, before memory or time run short.

Most figures are measured with a full park of 250,000 devices: 30 MiB as CSV, 28 MiB as XLSX, 90 MiB as JSON.
"""

from __future__ import annotations

from typing import Final

from vetlla.domain.columns import Fault

MIB: Final = 1 << 20

MAX_FILE: Final = 128 * MIB
"""Most bytes of a file, or of the content of a pipe. A million accounts with all their columns fit."""
MAX_ROWS: Final = 1 << 20
"""Most rows of a file of any kind: as many as a spreadsheet can have, enough for four full parks."""
MAX_COLUMNS: Final = 1_000
"""Most names in a heading. Each unknown name is compared with all known names (0.1 ms)."""
MAX_ROW: Final = 1 * MIB
"""Most characters of one row, and of everything up to the end of the heading. 500 of the longest cells fit."""
MAX_DEPTH: Final = 8
"""Most lists and objects of JSON within each other. No column needs more than one list."""
MAX_FAULTS: Final = 10_000
"""Most faults that are collected. A file of the wrong kind has one in every row; a person does not correct more."""

# --- workbooks --------------------------------------------------------------------------------------------------------

MAX_UNPACKED: Final = 512 * MIB
"""Most unpacked bytes of all parts that are read of a workbook. Reading as much as this takes about two minutes; a full
park has 300 MiB. How well a file is packed says nothing: a warehouse of similar devices is packed 140 to 1."""
MAX_PART: Final = 4 * MIB
"""Most bytes of a part that is held in memory as a tree: the list of sheets, the relations, the styles."""
MAX_SHARED: Final = 64 * MIB
"""Most bytes of the texts that cells share. They are held in memory; a full park has 30 MiB."""
MAX_ITEM: Final = 4 * MIB
"""Most bytes from the end of one row to the end of the next. A row of all 16,384 columns has 1.6 MB."""
MAX_ELEMENTS: Final = 1 << 17
"""Most elements from the end of one row to the end of the next: twice the four elements of each of 16,384 columns."""
MAX_NAMES: Final = 1_000
"""Most different names of elements in one part. A sheet has about fifty."""
MAX_TEXTS: Final = 1 << 22
"""Most texts that cells share: as many as a full park has cells."""
MAX_DIRECTORY: Final = 1 * MIB
"""Most bytes of the list of parts at the end of a workbook: room for 10,000 parts. A workbook has about twenty."""


def too_many_faults(row: int) -> Fault:
    """Return the last fault of a file that has too many faults. Its rows from this one on are not read."""
    return Fault(
        row, "", "", f"this row and the following ones were not read: there are {MAX_FAULTS} faults before them"
    )
