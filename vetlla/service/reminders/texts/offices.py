"""What the texts tell about an office and a procedure: names, addresses, telephones, documents to bring.

A procedure is not named in messages unless its entry says so. Its name can tell something about a citizen, such as a
need of social services, and a telephone is often read by others (Regulation (EU) 2016/679, article 5.1.c).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from vetlla.service.reminders.texts import tables
from vetlla.service.reminders.texts.dates import Language
from vetlla.service.reminders.texts.text import NeededWords, Words


class Naming(StrEnum):
    """Whether messages may tell what an appointment is for."""

    HIDDEN = "hidden"
    NAMED = "named"


class _OfficeWords(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    where: NeededWords
    """The office with preposition and article: "a l'OMAC"."""
    address: Words = ""
    booking: Words = ""
    """Where citizens book."""
    support: Words = ""
    """Where they find digital support."""


class OfficeDetails(BaseModel):
    """What the texts tell about an office."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: NeededWords
    """The source's id of the office."""
    name: NeededWords
    telephone: Words = ""
    help_telephone: Words = ""
    """Telephone that helps with procedures."""
    ca: _OfficeWords
    es: _OfficeWords

    def words(self, language: Language) -> _OfficeWords:
        """Return what depends on the language."""
        return self.ca if language == "ca" else self.es


class _ServiceWords(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: NeededWords
    documents: Words = ""
    """What to bring, in one sentence."""
    online: Words = ""
    """Where the procedure is done online."""


class ServiceDetails(BaseModel):
    """What the texts tell about a procedure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: NeededWords
    """The source's id of the service."""
    naming: Naming = Naming.HIDDEN
    ca: _ServiceWords
    es: _ServiceWords

    def words(self, language: Language) -> _ServiceWords:
        """Return what depends on the language."""
        return self.ca if language == "ca" else self.es


@dataclass(frozen=True, slots=True)
class Directory:
    """All offices and procedures, by the source's ids."""

    offices: Mapping[str, OfficeDetails] = field(default_factory=dict)
    services: Mapping[str, ServiceDetails] = field(default_factory=dict)

    def may_name(self, services: Iterable[str]) -> bool:
        """Return True if messages may name all these procedures. A procedure without an entry is not named."""
        found = [self.services.get(one) for one in services]
        return bool(found) and all(one is not None and one.naming is Naming.NAMED for one in found)


def directory_of(document: Mapping[str, Any]) -> Directory:
    """Return the offices and procedures of a document. Raises ValueError with the entry that is wrong."""
    unknown = sorted(set(document) - {"office", "service"})
    if unknown:
        raise ValueError(f"there is no key {unknown[0]}; the file has [[office]] and [[service]]")
    offices: dict[str, OfficeDetails] = {}
    services: dict[str, ServiceDetails] = {}
    for number, entry in enumerate(tables.entries(document, "office"), start=1):
        office = tables.read(OfficeDetails, entry, f"office {number}")
        if offices.setdefault(office.id, office) is not office:
            raise ValueError(f"there are two offices {office.id}: keep one of them")
    for number, entry in enumerate(tables.entries(document, "service"), start=1):
        service = tables.read(ServiceDetails, entry, f"service {number}")
        if services.setdefault(service.id, service) is not service:
            raise ValueError(f"there are two services {service.id}: keep one of them")
    return Directory(offices, services)
