"""How much an import takes. A file beyond a bound is refused with the bound, before memory or time run short.

A full park, the measure of most figures, has 250,000 devices: 30 MiB as CSV, 28 as XLSX, 90 as JSON.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 1 << 20

MAX_FILE: Final = 128 * MIB
"""Bytes of a file, or of what comes through a pipe: a million accounts with all their columns fit."""
MAX_ROWS: Final = 1 << 20
"""Rows of any kind of file: as many as a spreadsheet has, and four full parks."""
MAX_COLUMNS: Final = 1_000
"""Names in a heading. Each unknown name is compared with all known names (0.1 ms)."""
MAX_ROW: Final = 1 * MIB
"""Characters of one row, and of all that stands before the end of the heading: 500 of the longest cells."""
MAX_DEPTH: Final = 8
"""Lists and objects of JSON within each other: no column holds more than one list."""
MAX_FAULTS: Final = 10_000
"""Faults that are gathered. A file of the wrong kind has one in every row; a person does not correct more at once."""

# --- workbooks --------------------------------------------------------------------------------------------------------

MAX_UNPACKED: Final = 512 * MIB
"""Bytes of all parts that are read of a workbook, unpacked: a full park has 300 MiB. They take about two minutes. How
many times larger they became says nothing: a warehouse of like devices is packed 140 to 1."""
MAX_PART: Final = 4 * MIB
"""Bytes of a part that is held as a tree: the list of sheets, relations, styles."""
MAX_SHARED: Final = 64 * MIB
"""Bytes of the texts that cells share, which are held in memory: a full park has 30 MiB."""
MAX_ITEM: Final = 4 * MIB
"""Bytes from the end of one row to that of the next: a row of all 16,384 columns has 1.6 MB."""
MAX_ELEMENTS: Final = 1 << 17
"""Elements from the end of one row to that of the next: four for each of 16,384 columns, twice."""
MAX_NAMES: Final = 1_000
"""Different names of elements in one part: a sheet has some fifty."""
MAX_TEXTS: Final = 1 << 22
"""Texts that cells share: as many as a full park has cells."""
MAX_DIRECTORY: Final = 1 * MIB
"""Bytes of the list of parts at the end of a workbook: 10,000 parts. A workbook has some twenty."""
