"""Reads the documents that a person adds to a closed month, and writes what a closed month keeps into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.closing import ClosedFile, FileRole
from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.store.months.closings import FILE_AT_MOST, refuse_large

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vetlla.domain.closing import Closing

MEDIA: Final = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".xsig": "application/xml",
}
"""Ending -> media type. The list of the machine is not asked, because machines have different ones."""
OTHER: Final = "application/octet-stream"


def read_documents(paths: Sequence[Path]) -> tuple[ClosedFile, ...]:
    """Return documents under the names of their files.

    Raises UsageError for one that cannot be read or is too large, and for two of the same name.
    """
    found: dict[str, ClosedFile] = {}
    for path in paths:
        if path.name in found:
            raise UsageError(f"two documents are called {path.name}", remedy="rename one of them")
        try:
            with open_input(path) as file:
                content = file.read(FILE_AT_MOST + 1)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}", remedy="name an existing file with --document") from error
        refuse_large(path.name, len(content))
        media = MEDIA.get(path.suffix.lower(), OTHER)
        found[path.name] = ClosedFile.of(FileRole.DOCUMENT, path.name, media, content)
    return tuple(found.values())


def export(closing: Closing, folder: Path) -> Iterator[Path]:
    """Write the files of a closing into ``<folder>/<role>/``, and yield each one's path.

    Raises UsageError, before anything is written, if a file is there already or was changed since it was kept.
    """
    targets = [(folder / file.role.value / file.name, file) for file in closing.files]
    for path, file in targets:
        if path.exists():
            raise UsageError(f"{path} exists", remedy="name another folder")
        if not file.is_intact:
            raise UsageError(f"{file.name} is not what was kept", remedy=f"vetlla month verify {closing.label}")
    for path, file in targets:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}", remedy="name a folder that you may write") from error
        yield path
