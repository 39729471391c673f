"""Writes an invoice: Facturae with or without a signature, PDF with that file inside, a workbook of the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.signing import signed
from vetlla.documents.facturae.writing import facturae
from vetlla.documents.invoice.page import InvoiceRemark, invoice_page
from vetlla.documents.pdf import Attachment, pdf
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import UsageError
from vetlla.tables.target import finished
from vetlla.tables.xlsx import writing
from vetlla.tasks.invoice.units import workbook

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.documents.words import Language
    from vetlla.domain.invoices import Invoice
    from vetlla.service.invoice.lines import MonthInvoice
    from vetlla.settings.signing_key import SigningKey
    from vetlla.tasks.invoice.counts import InvoiceCounts


def write_units(path: Path, counts: InvoiceCounts) -> None:
    """Write a workbook with every counted unit, a sheet for each concept. Raises UsageError or StoreError."""
    with finished(path) as out:
        writing.write(out, workbook(counts))


def electronic(invoice: Invoice, language: Language, key: SigningKey | None, now_us: int) -> bytes:
    """Return an invoice as Facturae, signed if there is a key.

    It passes the checks of a received one. Raises UsageError with what is wrong.
    """
    xml = facturae(invoice, language=language)
    if key is not None:
        xml = signed(xml, key.key, key.chain, at=to_datetime(now_us))
    if faults := faults_of(xml, unsigned=key is None):
        raise UsageError(f"the invoice would be refused: {faults[0]}", remedy="correct the header or the options")
    return xml


def paper(made: MonthInvoice, invoice: Invoice, xml: bytes, language: Language) -> bytes:
    """Return the PDF of an invoice with its electronic form inside. Raises UsageError if typst is missing."""
    remarks = [InvoiceRemark(note.name, note.number, note.about) for one in made.lines for note in one.notes]
    name = f"{'-'.join(filter(None, (invoice.header.series, invoice.header.number)))}.xml".replace("/", "-")
    attached = Attachment(name, xml, "text/xml", "alternative", "Facturae 3.2.2")
    return pdf(invoice_page(invoice, remarks, language), invoice.header.issued, attachments=[attached])


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that gets its name when it is complete. Raises UsageError or StoreError."""
    with finished(path) as out:
        out.write(content)
