"""``vetlla invoice make``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.invoice.options import Month, ReductionOptions, counted, tell_notes
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows, talk
from vetlla.cli.kit.parameters import footnote_names
from vetlla.cli.kit.registry import CLOCK, today
from vetlla.documents.words import Language
from vetlla.domain.clock import last_of_month
from vetlla.domain.errors import UsageError
from vetlla.service.invoice.fields import line_fields
from vetlla.settings.signing_key import read_signing_key
from vetlla.tasks.invoice.files import electronic, paper, write_bytes, write_units
from vetlla.tasks.invoice.header import load_head
from vetlla.tasks.invoice.making import invoice_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.invoice.header import InvoiceHead
    from vetlla.service.invoice.lines import MonthInvoice
    from vetlla.settings.signing_key import SigningKey

COLUMNS: Final = ("concept", "units", "unit", "price", "amount", "vat")


class InvoiceFiles(NamedTuple):
    """Files that the command writes, and what their header says."""

    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write every counted unit, a sheet a concept.")
    ] = None
    xml: Annotated[Path | None, typer.Option("--xml", metavar="FILE", help="Write it as Facturae 3.2.2.")] = None
    pdf: Annotated[
        Path | None, typer.Option("--pdf", metavar="FILE", help="Write it as PDF with the Facturae inside.")
    ] = None
    language: Annotated[Language, typer.Option("--language", help="Language of the files.")] = Language.CA
    header: Annotated[
        Path | None,
        typer.Option(
            "--header",
            envvar="VETLLA_INVOICE",
            metavar="FILE",
            readable=False,
            help="File of the header. Default: the installed example, invoice.toml.",
        ),
    ] = None
    number: Annotated[str, typer.Option("--number", help="Number of the invoice. Default: its month.")] = ""
    issued: Annotated[
        date | None,
        typer.Option("--issued", parser=as_day, metavar="YYYY-MM-DD", help="Day of the invoice. Default: today."),
    ] = None


class SigningOptions(NamedTuple):
    """What signs the Facturae."""

    sign: Annotated[
        Path | None, typer.Option("--sign", metavar="FILE", help="Sign with this key: PEM or PKCS#12 (.p12, .pfx).")
    ] = None
    certificates: Annotated[
        Path | None, typer.Option("--certificates", metavar="FILE", help="Certificates of a PEM key in its own file.")
    ] = None
    password: Annotated[
        Path | None, typer.Option("--password-file", metavar="FILE", help="File with the password of the key.")
    ] = None

    def key(self) -> SigningKey | None:
        """Return the key, if the user named one. Raises ConfigError or UsageError."""
        if self.sign is None:
            if self.certificates or self.password:
                raise UsageError("there is no key to sign with", remedy="--sign FILE names it")
            return None
        return read_signing_key(self.sign, certificates=self.certificates, password=self.password)


@with_option_groups
def make(
    month: Month,
    known: Known = "",
    *,
    reductions: ReductionOptions,
    files: InvoiceFiles,
    signing: SigningOptions,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Count the invoice of a month from the record, day by day, and write it as Facturae, PDF and workbook.

    Every concept of the contract has a line, also without a unit. Nothing is stored: the same record gives the same
    invoice. What was not counted is said on standard error.

    Example: vetlla invoice make --month 2026-11 --xml november.xml --xlsx november.xlsx
    """
    if signing.sign is not None and files.xml is None and files.pdf is None:
        raise UsageError("--sign signs a file", remedy="--xml FILE or --pdf FILE names it")
    if files.issued is not None and files.issued < last_of_month(month):
        raise UsageError(
            f"--issued {files.issued} is before the end of {month:%Y-%m}", remedy=f"{last_of_month(month)} or later"
        )
    rules, deductions, key = options.rules(), reductions.deductions(), signing.key()
    head = load_head(files.header) if files.xml or files.pdf else None
    with counted(state_dir, rules, month, known) as counts:
        made = invoice_of(counts, deductions)
        written = _under(head, made, files, key)
        if files.xlsx:
            write_units(files.xlsx, counts)
    for path, content in written:
        write_bytes(path, content)
    if head is not None and head.is_example:
        talk().print("the header is the example with invented names: --header FILE names your own", soft_wrap=True)
    _tell(made, as_json=as_json)


def _under(
    head: InvoiceHead | None, made: MonthInvoice, files: InvoiceFiles, key: SigningKey | None
) -> list[tuple[Path, bytes]]:
    """Return the files that have a header, each with its content, so that nothing is written if one is refused."""
    if head is None:
        return []
    invoice = made.under(head.header(made.month, files.number or f"{made.month:%Y-%m}", files.issued or today()))
    xml = electronic(invoice, files.language, key, CLOCK.now().utc_us)
    found = [(files.xml, xml)] if files.xml else []
    if files.pdf:
        found.append((files.pdf, paper(made, invoice, xml, files.language)))
    return found


def _tell(made: MonthInvoice, *, as_json: bool) -> None:
    if as_json:
        for one in made.lines:
            print_json(line_fields(made, one))
        return
    print_rows(_rows(made), COLUMNS, as_json=False, title=f"Invoice of {made.month:%Y-%m}, EUR")
    tell_notes(made)
    footnote_names(made.assumed)


def _rows(made: MonthInvoice) -> Iterator[dict[str, Any]]:
    for one in made.lines:
        line = one.line
        yield {
            "concept": line.concept,
            "units": f"{line.units.normalize():,f}",
            "unit": line.unit,
            "price": f"{line.price:,f}",
            "amount": f"{line.amount:,.2f}",
            "vat": f"{line.vat:f} %",
        }
    yield {"concept": "net", "amount": f"{made.net:,.2f}"}
    for group in made.vat:
        yield {"concept": f"vat_{group.rate:f}", "amount": f"{group.tax:,.2f}"}
    yield {"concept": "total", "amount": f"{made.total:,.2f}"}
