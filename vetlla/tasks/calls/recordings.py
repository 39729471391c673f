"""Check the recordings of calls: each file is there, and its bytes have the hash that was kept."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.calls import ERASED
from vetlla.domain.errors import UsageError
from vetlla.service.calls.joining import joined
from vetlla.store.calls import queries
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock


class RecordingState(StrEnum):
    """What was found of a recording."""

    WHOLE = "whole"
    MISSING = "missing"
    ALTERED = "altered"
    NO_HASH = "no_hash"
    """The file is there, and no hash of it was imported, so nothing proves that it is whole."""
    UNREADABLE = "unreadable"


class KeptRecording(NamedTuple):
    """The recording of a call."""

    call: int
    path: str
    digest: bytes


def recordings(state_dir: Path, clock: Clock, since_us: int | None, until_us: int | None) -> list[KeptRecording]:
    """Return the recordings of the calls of a time. Those of erased homes are left out."""
    with snapshot(state_dir, clock) as connection:
        return [
            KeptRecording(call.id, call.record.recording, call.record.digest)
            for call in queries.calls(connection, joined, since_us=since_us, until_us=until_us)
            if call.record.recording not in {"", ERASED}
        ]


def check(
    folder: Path, wanted: list[KeptRecording], tell: Callable[[int, int], None]
) -> Iterator[tuple[KeptRecording, RecordingState]]:
    """Yield each recording with its state. Raises UsageError if the folder is none.

    The registry is not open meanwhile, because reading a month of recordings takes hours.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", remedy="name the folder of the recordings with --recordings")
    for place, one in enumerate(wanted):
        tell(place, len(wanted))
        yield one, _state(folder / one.path, one.digest)


def _state(path: Path, digest: bytes) -> RecordingState:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        return RecordingState.MISSING
    except OSError:
        return RecordingState.UNREADABLE
    if not digest:
        return RecordingState.NO_HASH
    return RecordingState.WHOLE if found == digest else RecordingState.ALTERED
