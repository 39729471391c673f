"""Seller and buyer in Facturae, with the three offices of the buyer (Orden HAP/1074/2014: DIR3 codes by role)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.fields import Node, field
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import NAME_MOST, PROVINCE_MOST, TOWN_MOST
from vetlla.domain.spanish_numbers import is_of_person, is_postcode

if TYPE_CHECKING:
    from vetlla.domain.invoices import InvoiceHeader, InvoiceParty


def parties(header: InvoiceHeader) -> Node:
    """Return the block of both parties. Raises UsageError."""
    return Node(
        "Parties",
        (
            Node("SellerParty", (*_tax(header.seller), _entity(header.seller))),
            Node("BuyerParty", (*_tax(header.buyer), _centres(header), _entity(header.buyer))),
        ),
    )


def _tax(party: InvoiceParty) -> tuple[Node]:
    if is_of_person(party.tax_id):
        raise UsageError(
            f"{party.tax_id} is the tax number of a person, and only companies and public bodies are written",
            remedy="give the number of the legal entity",
        )
    number = field("TaxIdentificationNumber", party.tax_id, 30, least=3)
    kind = (Node("PersonTypeCode", "J"), Node("ResidenceTypeCode", "R"))
    return (Node("TaxIdentification", (*kind, number)),)


def _centres(header: InvoiceHeader) -> Node:
    """Return the offices: each has its code, its role, the buyer's address and its name in the contract."""
    offices = (
        (header.offices.accounting, codes.ACCOUNTING, header.economic_department),
        (header.offices.managing, codes.MANAGING, header.contracting_body),
        (header.offices.processing, codes.PROCESSING, header.recipient_department),
    )
    return Node(
        "AdministrativeCentres",
        tuple(
            Node(
                "AdministrativeCentre",
                (
                    field("CentreCode", code, 10),
                    Node("RoleTypeCode", role),
                    _address(header.buyer),
                    field("CentreDescription", name, 2500),
                ),
            )
            for code, role, name in offices
        ),
    )


def _entity(party: InvoiceParty) -> Node:
    return Node("LegalEntity", (field("CorporateName", party.name, NAME_MOST), _address(party)))


def _address(party: InvoiceParty) -> Node:
    if not is_postcode(party.postcode):
        raise UsageError(f"PostCode {party.postcode!r} of {party.name} is not five digits", remedy="give the postcode")
    return Node(
        "AddressInSpain",
        (
            field("Address", party.address, NAME_MOST),
            Node("PostCode", party.postcode),
            field("Town", party.town, TOWN_MOST),
            field("Province", party.province, PROVINCE_MOST),
            Node("CountryCode", "ESP"),
        ),
    )
