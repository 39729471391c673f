"""The header of the invoice, as a file describes it (``config/invoice.toml``, which explains each key).

Tender 20220428, section 11, and RD 1619/2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from vetlla.domain.invoices import InvoiceHeader, InvoiceParty, PublicOffices
from vetlla.domain.tomlmodel import validated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
_REMEDY: Final = "correct it; the installed invoice.toml explains each key"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartyPart(_Part):
    """Who issues or gets the invoice."""

    name: _Text
    tax_id: _Text
    address: _Text
    postcode: _Text
    town: _Text
    province: _Text

    def party(self) -> InvoiceParty:
        """Return it as a value of the invoice."""
        return InvoiceParty(**self.model_dump())


class OfficesPart(_Part):
    """DIR3 codes of the buyer's three offices."""

    accounting: _Text
    managing: _Text
    processing: _Text


class ContractPart(_Part):
    """What section 11 asks for above the lines."""

    code: _Text
    file: _Text
    contracting_body: _Text
    economic_department: _Text
    recipient_department: _Text


class InvoiceHead(_Part):
    """Everything above the lines that is the same each month."""

    series: str = Field(max_length=20)
    iban: str = ""
    is_example: bool = False
    """Whether it is the example that comes with the program, which no city can be sent."""
    contract: ContractPart
    seller: PartyPart
    buyer: PartyPart
    offices: OfficesPart

    def header(self, month: date, number: str, issued: date) -> InvoiceHeader:
        """Return the header of a month's invoice."""
        return InvoiceHeader(
            series=self.series,
            number=number,
            issued=issued,
            month=month,
            seller=self.seller.party(),
            buyer=self.buyer.party(),
            offices=PublicOffices(**self.offices.model_dump()),
            contract=self.contract.code,
            file=self.contract.file,
            contracting_body=self.contract.contracting_body,
            economic_department=self.contract.economic_department,
            recipient_department=self.contract.recipient_department,
            iban=self.iban,
        )


_FILE: Final = TypeAdapter(InvoiceHead)


def parse_head(document: Mapping[str, object], source: str) -> InvoiceHead:
    """Return the header of a TOML document; ``source`` names the file in errors. Raises ConfigError."""
    return validated(_FILE, document, source, remedy=_REMEDY)
