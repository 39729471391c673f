"""Says what is wrong with an invoice in Facturae: its form, its sums, its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.rules import rule_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.documents.facturae.tree import Element

_SPAIN: Final = ZoneInfo("Europe/Madrid")


def faults_of(xml: bytes, *, unsigned: bool = False) -> list[str]:
    """Return what is wrong with a file, each as ``schema: ...``, ``rule 6a: ...`` or ``signature: ...``.

    An empty list means: valid by the official schema, right by the rules that public bodies check, and with a
    signature that holds (``xades.verified`` says what that covers). ``unsigned`` leaves the signature out, for a file
    that is to be signed. Raises UsageError only if lxml or signxml is missing.
    """
    from vetlla.documents.facturae import tree  # noqa: PLC0415 - an extra

    try:
        root = tree.parsed(xml)
    except tree.NotXmlError as error:
        return [f"schema: {error}"]
    if root.tag != codes.ROOT:
        return [f"schema: the file is {root.tag!s}, and Facturae {codes.VERSION} is read"]
    faults = [f"schema: {fault}" for fault in tree.schema_faults(root)]
    if not faults:
        try:
            faults += rule_faults(root)
        except ValueError as error:
            faults.append(f"rule 6: {error}")
    if not unsigned:
        faults += _signature(root)
    return faults


def _signature(root: Element) -> Iterator[str]:
    from vetlla.documents.facturae import xades  # noqa: PLC0415 - an extra

    if root.find(f"{{{codes.DS}}}Signature") is None:
        yield "signature: the file is not signed"
        return
    try:
        _, at = xades.verified(root)
    except xades.NotVerifiedError as error:
        yield f"signature: {error}"
        return
    day = at.astimezone(_SPAIN).date()
    for issued in root.findall("Invoices/Invoice/InvoiceIssueData/IssueDate"):
        if (issued.text or "").strip()[:10] > day.isoformat():
            yield f"rule 7a: the invoice is dated {issued.text}, after its signature of {day}"
