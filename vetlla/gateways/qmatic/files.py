"""Appointments in a file, or in a folder of files, for offices without an API.

A JSON file has rows with the columns of ``file_shape``, or what Orchestra itself would answer. A function that the
caller gives reads CSV and XLSX, because the room ``tables`` knows how files of rows are written.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.errors import LinkError, UsageError
from vetlla.domain.plainfile import open_file
from vetlla.gateways.contracts import Poll, RefusedError
from vetlla.gateways.qmatic.calendar_shape import calendar_appointment
from vetlla.gateways.qmatic.fields import UnreadableFieldError, object_in, text_in
from vetlla.gateways.qmatic.file_shape import columns_of, file_appointment
from vetlla.gateways.qmatic.moments import ZONE, configured_zone
from vetlla.gateways.qmatic.queue_shape import queue_appointment
from vetlla.gateways.qmatic.reading import Asked, poll_of

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.contracts import CancelOutcome

ReadRows = Callable[["Path"], Iterable[Mapping[str, Any]]]
"""Returns the rows of a CSV or XLSX file, each by the names of its heading. Raises UsageError and OSError."""

MIB: Final = 1 << 20
MAX_FILE: Final = 64 * MIB
"""Most bytes of a file. A row has some 200, so a year of 300 offices fits."""
MAX_FILES: Final = 1_000
"""Most files of a folder that are read."""
KINDS: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Files of appointments."""

    name: str
    """Name of this source; appointments are remembered by it."""
    path: Path
    """A file, or a folder whose files are read together."""
    read_rows: ReadRows = field(repr=False)
    zone: str = ZONE
    """IANA name of the time zone of the hours in the files."""
    max_file: int = MAX_FILE
    """Most bytes of a file."""


class AppointmentFiles:
    """A source of appointments; see ``AppointmentSource``. An office is what the files call one."""

    def __init__(self, settings: FileSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._zone = configured_zone(settings.name, settings.zone)

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of an office from ``first`` to ``last``, both included.

        Raises LinkError if a file cannot be read as a whole: then nothing is known, because a missing row would count
        as a cancellation.
        """
        found = await asyncio.to_thread(self._all)
        return poll_of(Asked(office, first, last), self._of(found, office, first, last), self._appointment)

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment as the files have it now; None if they have it no longer. Raises LinkError.

        Raises LinkError also if any row cannot be read, because that row may be the appointment.
        """
        latest: Appointment | None = None
        unreadable = 0
        for row in await asyncio.to_thread(self._all):
            try:
                one = self._appointment(row)
            except UnreadableFieldError:
                unreadable += 1
                continue
            if one.key == key:
                latest = one
        if latest is None and unreadable:
            raise LinkError(
                f"{self._settings.path}: {unreadable} rows cannot be read", remedy="correct them, and export again"
            )
        return latest

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Raise RefusedError: a file cannot free a slot, so a person must."""
        raise RefusedError(
            f"{key.source}: appointments of a file cannot be cancelled by a program",
            code="file",
            remedy="cancel it in the system that wrote the file",
        )

    def _of(self, rows: Iterable[Any], office: str, first: date, last: date) -> Iterable[Any]:
        """Return the rows of an office and its days, and those that cannot be read: they are faults of every poll.

        If several files have the same appointment, the newest file counts.
        """
        unreadable: list[Any] = []
        latest: dict[AppointmentKey, tuple[Appointment, Any]] = {}
        for row in rows:
            try:
                one = self._appointment(row)
            except UnreadableFieldError:
                unreadable.append(row)
            else:
                latest[one.key] = (one, row)
        wanted = [
            row
            for one, row in latest.values()
            if one.office == office and first <= one.start.astimezone(self._zone).date() <= last
        ]
        return [*wanted, *unreadable]

    def _appointment(self, row: Any) -> Appointment:  # noqa: ANN401 - a row of any file
        """Return the appointment of a row of any of the three shapes. Raises UnreadableFieldError."""
        if not isinstance(row, dict):
            raise UnreadableFieldError("a row is no object")
        if "branchId" in row and "startTime" in row:
            return queue_appointment(row, source=self.name, zone=self._zone)
        branch = object_in(row, "branch")
        if branch and "publicId" in row:
            office = text_in(branch, "id") or text_in(branch, "publicId")
            return calendar_appointment(row, source=self.name, office=office, zone=self._zone)
        return file_appointment(row, source=self.name, zone=self._zone)

    def _all(self) -> list[Any]:
        """Return the rows of all files, the oldest file first. Raises LinkError."""
        try:
            return [row for file in self._files() for row in self._rows(file)]
        except OSError as error:
            raise LinkError(
                f"{error.filename or self._settings.path}: {error.strerror or error}", remedy="is the share mounted?"
            ) from error

    def _files(self) -> list[Path]:
        path = self._settings.path
        if not path.is_dir():
            return [path]
        files = [one for one in path.iterdir() if one.suffix.lower() in KINDS and not one.name.startswith((".", "~"))]
        if not files:
            raise LinkError(f"{path} has no file of appointments", remedy="is the share mounted?")
        if len(files) > MAX_FILES:
            raise LinkError(f"{path} has more than {MAX_FILES} files", remedy="take old files away")
        return sorted(files, key=lambda one: (one.stat().st_mtime_ns, one.name))

    def _rows(self, file: Path) -> list[Any]:
        before = file.stat()
        if before.st_size > self._settings.max_file:
            raise LinkError(f"{file} has more than {self._settings.max_file} bytes", remedy="is it the right file?")
        try:
            rows = _json_rows(file, self._settings.max_file) if file.suffix.lower() == ".json" else self._table(file)
        except UsageError as error:
            raise LinkError(error.args[0], remedy=error.remedy) from error
        after = file.stat()
        if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
            raise LinkError(f"{file} is being written", remedy="the next poll reads it")
        return rows

    def _table(self, file: Path) -> list[Any]:
        rows: list[Any] = []
        for row in self._settings.read_rows(file):
            if not rows and not {"id", "office"} <= columns_of(dict.fromkeys(row, "x")).keys():
                raise LinkError(f"{file} has no columns id and office", remedy="docs/reminders-qmatic.md names them")
            rows.append(dict(row))
        return rows


def _json_rows(file: Path, max_file: int) -> list[Any]:
    with open_file(file) as stream:
        content = stream.read(max_file)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise LinkError(f"{file} is not JSON: {error}", remedy="is it still being written?") from error
    rows = found.get("appointmentList") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise LinkError(f"{file} is no list of appointments", remedy="docs/reminders-qmatic.md shows one")
    return rows
