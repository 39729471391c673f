"""Where the files that a restore replaces are: in the state directory, or already in a directory beside it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from vetlla.store.journal.opening import UNFINISHED_RESTORE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

ASIDE = "replaced"
"""Beginning of the names of directories with replaced files."""


def new_place(state_dir: Path, at: datetime) -> Path:
    """Return a directory for files that are replaced at a time: a second restore in one second gets its own."""
    name = f"{ASIDE}-{at:%Y%m%dT%H%M%SZ}"
    places = (state_dir / (f"{name}-{number}" if number > 1 else name) for number in count(1))
    return next(place for place in places if not place.exists())


def replaced_place(state_dir: Path, name: str) -> Path | None:
    """Return the directory that has the replaced database of this name; None if there is none."""
    places = [state_dir]
    if (state_dir / UNFINISHED_RESTORE).exists():  # an interrupted restore has moved it
        places += sorted(state_dir.glob(f"{ASIDE}-*"), reverse=True)
    return next((one for one in places if (one / name).exists()), None)
