"""Values of a closed month: what was known, what it came to, and what was handed over. Times are microseconds UTC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date


SERVICE_LEVELS: Final = "service-levels.json"
"""Name of the result that has the figures of all levels. The ledger of faults reads it in earlier months."""


INVOICE: Final = "invoice.json"
"""Name of the result that has the lines of the invoice."""
KINDS: Final = "duties.toml"
PARAMETERS: Final = "parameters.toml"
"""Names of the rules that a closed month keeps."""


class FileRole(StrEnum):
    """What a kept file is for."""

    RULES = "rules"
    """The parameters and the kinds of duties, so that the month can be computed again after they changed."""
    RESULT = "result"
    """Made from the record when the month was closed; it can be made again."""
    DOCUMENT = "document"
    """A file that a person added, such as the signed invoice."""


class InputName(StrEnum):
    """Parts of the record, and beginnings of their names, that have a meaning of their own."""

    PEOPLE = "people"
    DEVICES = "devices"
    DUTIES = "duties."
    """Beginning: a kind of duty follows."""
    JOURNAL = "journal"
    SIGNALS = "signals"
    LEDGER = "ledger."
    """Beginning: a day follows."""


class ClosedInput(NamedTuple):
    """A part of the record, as it was known when the month was closed."""

    name: str
    """Such as ``homes``, ``duties.fault``, ``ledger.2026-10-05`` or ``journal``."""
    rows: int
    """How many rows it has; for ``journal`` the number of its last audit record."""
    digest: str
    """SHA-256 of its rows in hexadecimal digits; for ``journal`` the hash of that record."""


class ClosedFile(NamedTuple):
    """A file that a closed month keeps."""

    role: FileRole
    name: str
    media: str
    """Its media type, such as ``application/json``."""
    content: bytes
    digest: str
    """SHA-256 of the content, as it was when the month was closed, in hexadecimal digits."""

    @classmethod
    def of(cls, role: FileRole, name: str, media: str, content: bytes) -> ClosedFile:
        """Return a file with the digest of its content."""
        return cls(role, name, media, content, hashlib.sha256(content).hexdigest())

    @property
    def is_intact(self) -> bool:
        """Whether the content is still the one that was kept."""
        return hashlib.sha256(self.content).hexdigest() == self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One version of a closed month."""

    month: date
    """First day."""
    version: int
    """1 if the month was closed; more if it was closed again."""
    known_us: int
    """What was recorded later is not in it."""
    by: str
    reason: str
    """Why it was closed again; empty for the first version."""
    note: str
    program: str
    """Version of the program that closed it."""
    inputs: tuple[ClosedInput, ...]
    """By name."""
    files: tuple[ClosedFile, ...]
    """By role and name."""
    before: str
    """Seal of the closing before, of any month; empty for the first one."""
    seal: str = ""
    """Of all that, in hexadecimal digits."""

    @property
    def label(self) -> str:
        """The month as people write it."""
        return f"{self.month:%Y-%m}"

    def of_role(self, role: FileRole) -> dict[str, ClosedFile]:
        """Return the files of a role by name."""
        return {file.name: file for file in self.files if file.role is role}
