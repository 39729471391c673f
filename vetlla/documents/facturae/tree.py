"""XML by lxml: this module alone knows it, because only ``vetlla[invoice]`` installs it. Import it inside a function.

What comes from outside is parsed without entities, without a document type and without the network.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import UsageError

try:
    from lxml import etree
except ImportError as error:
    raise UsageError(
        "invoices in XML need lxml, which is not installed", remedy="pip install 'vetlla[invoice]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.documents.facturae.fields import Node

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it
XmlError = etree.LxmlError
"""Root of the errors of lxml, which signxml lets through."""

LARGEST: Final = 16 << 20
"""Most bytes of a file; an invoice of the service has 30 kB, and attachments may stand in it."""
_MOST_FAULTS: Final = 20
"""Most faults of the schema that are told; one cause often has many."""


class NotXmlError(ValueError):
    """The bytes are no XML document that is read here; the text says why."""


def written(root: Node, namespaces: Mapping[str, str]) -> bytes:
    """Return a document in UTF-8 on one line: spaces between elements would be signed too."""
    top = etree.Element(root.name, nsmap=dict(namespaces))
    _fill(top, root.content)
    return serialised(top)


def append(parent: Element, node: Node) -> None:
    """Append an element with all that is in it."""
    _fill(etree.SubElement(parent, node.name, dict(node.attributes)), node.content)


def serialised(root: Element) -> bytes:
    """Return a document as bytes, with its XML declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def parsed(xml: bytes) -> Element:
    """Return the root of a document. Raises NotXmlError."""
    if len(xml) > LARGEST:
        raise NotXmlError(f"it is larger than {LARGEST >> 20} MiB")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXmlError(f"it is no XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXmlError("it has a document type (DOCTYPE), which is not read")
    return root


def schema_faults(root: Element) -> list[str]:
    """Return what the official schema says against a document, with lines; empty if it is valid."""
    schema = _schema()
    if schema.validate(root):
        return []
    told: Iterable[str] = (f"line {entry.line}: {entry.message}" for entry in schema.error_log)
    return list(dict.fromkeys(told))[:_MOST_FAULTS]


@cache
def _schema() -> etree.XMLSchema:
    with as_file(files("vetlla.documents.facturae") / "schema") as folder:
        return etree.XMLSchema(file=folder / "Facturaev3_2_2.xsd")


def _fill(element: Element, content: str | tuple[Node, ...]) -> None:
    if isinstance(content, str):
        element.text = content
    else:
        for node in content:
            append(element, node)
