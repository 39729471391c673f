"""``vetlla reminders optout``: telephones that get no messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, to_the_second
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.row_files import (
    ExportFile,
    ExportFormat,
    FileOptions,
    Format,
    ImportFile,
    MappingFile,
    SheetName,
    TextEncoding,
    importing,
    refuse,
)
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.reminders.database import Phones, database, now, phone_shown
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.domain.messages import Channel
from vetlla.service.reminders.opt_out_rows import OPT_OUTS, phone_of
from vetlla.tables.target import write
from vetlla.tasks.reminders.desk import opting
from vetlla.tasks.reminders.desk.opting import BOTH, OptOut, OptOutSource

if TYPE_CHECKING:
    from vetlla.domain.columns import Fault
    from vetlla.service.reminders.opt_out_rows import OptOutRow
    from vetlla.tasks.reminders.desk.opting import OptChange

app = typer.Typer(no_args_is_help=True, help="Keep the telephones that get no messages.")

COLUMNS = ("phone", "channel", "at", "how")


def as_phone(text: str) -> str:
    """Return a telephone as E.164; typer reports a text that has none."""
    try:
        return phone_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Phone = Annotated[str, typer.Argument(parser=as_phone, metavar="PHONE", help="Such as +34600000001.")]
OnlyChannel = Annotated[Channel | None, typer.Option("--channel", help="Only this channel.  [default: both]")]


@app.command("list")
def list_opt_outs(
    *,
    limit: Limit = None,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the telephones that get no messages: channel, time, and how it became known.

    Example: vetlla reminders optout list --phones
    """
    with database(state_dir) as db:
        found = opting.opt_out_rows(db)
    when = iso if as_json else to_the_second
    rows = (
        {"phone": phone_shown(phone, whole=phones), "channel": channel, "at": when(at), "how": how}
        for phone, channel, at, how in found
    )
    print_some(rows, COLUMNS, limit, as_json=as_json)


@app.command("add")
def add_opt_out(
    phone: Phone, *, channel: OnlyChannel = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Send a telephone no messages from now on, also none that are planned already.

    Example: vetlla reminders optout add +34600000001
    """
    wanted = OptOut(phone, (channel,) if channel else BOTH)
    with database(state_dir, make=True) as db:
        change = opting.opt_out(db, [wanted], OptOutSource.OPERATOR, actor(), now())
    _tell(change, "new opt-outs", as_json=as_json)


@app.command("remove")
def remove_opt_out(
    phone: Phone, *, channel: OnlyChannel = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Take an opt-out back, because the citizen said so; messages that are still of use are planned again.

    Example: vetlla reminders optout remove +34600000001
    """
    with database(state_dir) as db:
        change = opting.opt_in(db, phone, (channel,) if channel else BOTH, actor(), now())
    _tell(change, "opt-outs taken back", as_json=as_json)


@app.command("import")
def import_opt_outs(
    *,
    file: ImportFile,
    source: Annotated[
        OptOutSource, typer.Option("--source", help="Whose list it is; a column how of the file counts first.")
    ] = OptOutSource.IMPORT,
    form: Format = None,
    encoding: TextEncoding = None,
    sheet: SheetName = "",
    mapping: MappingFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Keep the opt-outs of a file, all or none; those that are known already stay as they are.

    The file has the column phone, and may have channel (whatsapp, sms or both; both if it is empty), at (ISO 8601) and
    how. For the list of a provider a mapping file translates its headings.

    Example: vetlla reminders optout import stop-list.csv --source provider
    """
    found: list[OptOut] = []
    faults: list[Fault] = []
    options = FileOptions(form, encoding, sheet, mapping)
    with importing(file, OPT_OUTS, options, what="opt-outs", as_json=as_json) as (reader, rows):
        for _, row in rows:
            if isinstance(row, list):
                faults += row
            else:
                found.append(_opt_out(row))
    if faults:
        refuse(file, faults, reader, as_json=as_json)
    with database(state_dir, make=True) as db:
        change = opting.opt_out(db, found, source, actor(), now())
    _tell(change, "new opt-outs", as_json=as_json)


def _opt_out(row: OptOutRow) -> OptOut:
    return OptOut(row["phone"], row["channel"] or BOTH, row["at"], row["how"] or "")


@app.command("export")
def export_opt_outs(
    *,
    file: ExportFile,
    form: ExportFormat = None,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Write the opt-outs to a file that import takes back, for another provider. It needs --phones.

    People whose telephone WhatsApp hides are not in the file, and are counted. Only you can read the file.

    Example: vetlla reminders optout export stop-list.csv --phones
    """
    if not phones:
        raise UsageError("a list of opt-outs without telephones is of no use to anyone", remedy="add --phones")
    with database(state_dir) as db:
        found = opting.opt_out_rows(db)
    rows = [(phone, channel, iso(at), how) for phone, channel, at, how in found if phone]
    write(file, COLUMNS, rows, "opt-outs", kind=form, private=True)
    hidden = len(found) - len(rows)
    told = f"{file}: {len(rows)} opt-outs" + (f"; {hidden} without a telephone are not in it" if hidden else "")
    if str(file) == "-":
        talk().print(told, soft_wrap=True)
    elif as_json:
        print_json({"file": str(file), "opt_outs": len(rows), "without_phone": hidden})
    else:
        console().print(told, soft_wrap=True)


def _tell(change: OptChange, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(change._asdict())
    else:
        console().print(f"{change.telephones} telephones, {change.new} {what}", soft_wrap=True)
