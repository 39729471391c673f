"""``vetlla custody certificate``, and the certificate that ``vetlla custody destroy`` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.custody.rows import KeyCode, key_fields
from vetlla.cli.kit.duty_view import DutyFigures
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import print_json
from vetlla.documents.custody.certificate import Destruction, PaperLanguage, certificate
from vetlla.documents.html import html
from vetlla.documents.pdf import pdf
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import UsageError
from vetlla.service.custody.chain import KeyState, details_of
from vetlla.tables.target import finished
from vetlla.tasks.custody import register

if TYPE_CHECKING:
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.terms import DutyRules

LanguageOption = Annotated[PaperLanguage, typer.Option("--language", help="Language of the certificate.")]
ENDINGS = {".pdf", ".html"}


@with_option_groups
def write_again(
    key: KeyCode,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write: .pdf or .html.")],
    language: LanguageOption = PaperLanguage.CA,
    *,
    view: DutyFigures,
) -> None:
    """Write the certificate of a key that was destroyed.

    Example: vetlla custody certificate K0123 K0123.pdf --language es
    """
    check_ending(file)
    with view.reading() as (connection, rules, _):
        found = register.key_named(connection, rules, key)
    write_certificate(file, found, rules, language)
    if view.as_json:
        print_json(key_fields(found) | {"file": str(file)})


def check_ending(file: Path) -> None:
    """Raise UsageError for a file that is no certificate by its ending."""
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file}: a certificate is .pdf or .html", remedy="end the name so")


def write_certificate(file: Path, key: CustodyKey, rules: DutyRules, language: PaperLanguage) -> None:
    """Write the certificate of a key. Raises UsageError if it was not destroyed, or if the file cannot be written."""
    if key.state is not KeyState.DESTROYED:
        raise UsageError(f"{key.code} was not destroyed: it {key.whereabouts()}", remedy="vetlla custody destroy")
    end = key.duty.events[-1] if key.duty.events[-1].told.event == KeyState.DESTROYED else None
    end = end or next(event for event in reversed(key.duty.events) if event.told.event == KeyState.DESTROYED)
    calendar = rules.calendar
    destroyed = to_datetime(key.since_us).astimezone(calendar.zone)
    page = certificate(
        Destruction(
            key=key.code,
            home=key.home,
            copies=int(key.ceded.get("copies", "1")),
            authorisation=key.ceded.get("authorisation", ""),
            ceded=calendar.date_of(key.duty.opened_us),
            destroyed=destroyed,
            by=end.told.by,
            witness=details_of(end).get("witness", ""),
            record=f"{key.duty.id}/{end.id}",
        ),
        language,
    )
    made = pdf(page, destroyed.date()) if file.suffix.lower() == ".pdf" else html(page).encode()
    with finished(file) as out:
        out.write(made)
