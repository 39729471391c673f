"""The invoice as a page: its header, its lines, VAT and total, and what the figures rest on.

The names of concepts and units are those of the electronic invoice, so that both say the same.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.page import Card, Facts, Listing, Page, Paragraph, Section, TableBlock
from vetlla.documents.words import Words, words_of
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.documents.page import Text
    from vetlla.documents.words import Language
    from vetlla.domain.invoices import Invoice, InvoiceParty

_PRICE: Final = "price."
_EUR: Final = FigureColumn("amount", Form.EUR)
_RATE: Final = FigureColumn("vat")
_LINES: Final = (
    FigureColumn("concept", Form.WORD),
    FigureColumn("units"),
    FigureColumn("unit", Form.WORD),
    FigureColumn("price"),
    _RATE,
    _EUR,
)


class InvoiceRemark(NamedTuple):
    """What a reader must know beside the lines."""

    name: str
    """Name of a text of the page."""
    number: int
    about: str


def invoice_page(invoice: Invoice, remarks: Sequence[InvoiceRemark], language: Language) -> Page:
    """Return the page of an invoice in a language. It has no day of its own: the same invoice gives the same page."""
    words = _words(language)
    header = invoice.header
    month = words.text(
        "month", month=words.data["dates"]["months"][header.month.month - 1], year=str(header.month.year)
    )
    number = f"{header.series} {header.number}".strip()
    lines: tuple[Text, ...] = (month, words.text("number", number=number, day=words.day(header.issued)))
    sections = (
        Section(name="parties", blocks=(_parties(invoice, words),)),
        _table_section("lines", _LINES, _line_rows(invoice), words),
        Section(name="total", title=words.text("sums"), blocks=(_total(invoice, words),)),
        *_assumed(invoice, words),
    )
    return Page(
        words=words,
        title=words.text("title"),
        lines=lines,
        foot=words.text("foot", number=number, month=month),
        cards=(
            Card(name=words.text("net"), value=words.shown(_EUR, invoice.net)),
            Card(name=words.text("taxes"), value=words.shown(_EUR, invoice.total - invoice.net)),
            Card(name=words.text("total"), value=words.shown(_EUR, invoice.total)),
        ),
        parts=(("", sections),),
        notes=(words.text("rounding"), *(_remark(one, words) for one in remarks)),
    )


def _words(language: Language) -> Words:
    own = words_of(files("vetlla.documents.invoice"), language)
    shared = words_of(files("vetlla.documents.facturae"), language).data["words"]
    names = {"concept": shared["concept"], "unit": shared["unit"]}
    return Words(language=language, data={**own.data, "words": {**own.data["words"], **names}})


def _table_section(
    name: str, columns: tuple[FigureColumn, ...], rows: tuple[tuple[object, ...], ...], words: Words
) -> Section:
    table = FigureTable(name=name, columns=columns, rows=rows)  # type: ignore[arg-type]
    return Section(name=name, title=words.title(name), blocks=(Paragraph(words.told(name)), TableBlock(table=table)))


def _line_rows(invoice: Invoice) -> tuple[tuple[object, ...], ...]:
    return tuple(
        (line.concept, _plain(line.units), line.unit, line.price, line.vat, line.amount) for line in invoice.lines
    )


def _plain(units: Decimal) -> Decimal:
    """Return units without zeros behind them."""
    return units.quantize(Decimal(1)) if units == units.to_integral_value() else units.normalize()


def _parties(invoice: Invoice, words: Words) -> Facts:
    header = invoice.header
    offices = header.offices
    rows = [
        (words.text("seller"), _party(header.seller)),
        (words.text("buyer"), _party(header.buyer)),
        (words.text("contract"), words.text("contract_file", contract=header.contract, file=header.file)),
        (words.text("contracting_body"), header.contracting_body),
        (words.text("economic_department"), header.economic_department),
        (words.text("recipient_department"), header.recipient_department),
        (
            words.text("dir3"),
            words.text(
                "offices",
                accounting=offices.accounting,
                managing=offices.managing,
                processing=offices.processing,
            ),
        ),
    ]
    if header.iban:
        rows.append((words.text("iban"), header.iban))
    return Facts(tuple(rows))


def _party(one: InvoiceParty) -> str:
    return f"{one.name}, NIF {one.tax_id}, {one.address}, {one.postcode} {one.town}"


def _total(invoice: Invoice, words: Words) -> Facts:
    taxes = [
        (
            words.text("vat_of", rate=words.shown(_RATE, one.rate), base=words.shown(_EUR, one.base)),
            words.shown(_EUR, one.tax),
        )
        for one in invoice.vat
    ]
    return Facts(
        (
            (words.text("net"), words.shown(_EUR, invoice.net)),
            *taxes,
            (words.text("total"), words.shown(_EUR, invoice.total)),
        )
    )


def _assumed(invoice: Invoice, words: Words) -> tuple[Section, ...]:
    if not invoice.assumed:
        return ()
    text = Paragraph(words.told("assumed"))
    prices = [name.removeprefix(_PRICE) for name in invoice.assumed if name.startswith(_PRICE)]
    others = [name for name in invoice.assumed if not name.startswith(_PRICE)]
    listed = [f"{_of_parameter(name, words)} ({name})" for name in others]
    if prices:
        named = sorted((words.word("concept", name) for name in prices), key=str.casefold)
        listed.append(words.text("prices", concepts="; ".join(named)))
    return (Section(name="assumed", title=words.title("assumed"), blocks=(text, Listing(tuple(listed)))),)


def _of_parameter(name: str, words: Words) -> str:
    """Return what a parameter says; one of a single level, such as ``invoice.ans_reduction.14``, has that of all."""
    known = words.data["words"]["parameter"]
    return str(known.get(name) or known.get(name.rpartition(".")[0], name))


def _remark(one: InvoiceRemark, words: Words) -> str:
    return words.text(one.name, number=words.number(one.number), about=one.about)
