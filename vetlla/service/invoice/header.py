"""The header of the invoice, as a file describes it (``config/invoice.toml``, which explains each key).

A value that those who receive the invoice would refuse is refused here, before anything is counted or written.

Tender 20220428, section 11, and RD 1619/2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from vetlla.domain.invoices import (
    NAME_MOST,
    PROVINCE_MOST,
    REFERENCE_MOST,
    TOWN_MOST,
    InvoiceHeader,
    InvoiceParty,
    PublicOffices,
)
from vetlla.domain.spanish_numbers import is_dir3, is_iban, is_of_person, is_postcode, is_tax_number
from vetlla.domain.tomlmodel import validated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date


def _must(holds: Callable[[str], bool], fault: str) -> AfterValidator:
    """Return a check of a text that refuses it with the fault."""

    def checked(text: str) -> str:
        if not holds(text):
            raise ValueError(f"{text!r} {fault}")
        return text

    return AfterValidator(checked)


def _filled(most: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=most, strip_whitespace=True)


_Text: TypeAlias = Annotated[str, _filled(200)]
_Name: TypeAlias = Annotated[str, _filled(NAME_MOST)]
_Reference: TypeAlias = Annotated[str, _filled(REFERENCE_MOST)]
_TaxNumber: TypeAlias = Annotated[
    _Text,
    _must(is_tax_number, "is no Spanish tax number, by its check character"),
    _must(lambda text: not is_of_person(text), "is the tax number of a person: give that of the legal entity"),
]
_Postcode: TypeAlias = Annotated[_Text, _must(is_postcode, "is no postcode of five digits")]
_Dir3: TypeAlias = Annotated[_Text, _must(is_dir3, "is no DIR3 code of nine characters, such as LA0007817")]
_Iban: TypeAlias = Annotated[str, _must(lambda text: not text.strip() or is_iban(text), "is no IBAN, by its digits")]
_REMEDY: Final = "correct it; the installed invoice.toml explains each key"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartyPart(_Part):
    """Who issues or gets the invoice."""

    name: _Name
    tax_id: _TaxNumber
    address: _Name
    postcode: _Postcode
    town: Annotated[str, _filled(TOWN_MOST)]
    province: Annotated[str, _filled(PROVINCE_MOST)]

    def party(self) -> InvoiceParty:
        """Return it as a value of the invoice."""
        return InvoiceParty(**self.model_dump())


class OfficesPart(_Part):
    """DIR3 codes of the buyer's three offices."""

    accounting: _Dir3
    managing: _Dir3
    processing: _Dir3


class ContractPart(_Part):
    """What section 11 asks for above the lines."""

    code: _Reference
    file: _Reference
    contracting_body: _Text
    economic_department: _Text
    recipient_department: _Text


class InvoiceHead(_Part):
    """Everything above the lines that is the same each month."""

    series: str = Field(max_length=REFERENCE_MOST)
    iban: _Iban = ""
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
