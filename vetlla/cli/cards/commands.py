"""``vetlla cards`` keeps the cards of homes, and shows who read them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from pydantic import ValidationError

from vetlla.cli.cards.access import place_of
from vetlla.cli.cards.doubts import tell_doubts
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.confirming import confirm
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import Since, Utc, shown, within
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import (
    DEFAULT_STATE_DIR,
    AsJson,
    CardsKeyFile,
    DryRun,
    StateDir,
)
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.cli.kit.row_files import ExportFile, ExportFormat, FileOptions, ImportFile, importing, refuse
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.cards import CARD
from vetlla.domain.clock import iso
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.plainfile import open_input
from vetlla.service.cards.columns import CARDS
from vetlla.service.cards.rows import HEADING
from vetlla.store.journal.audit import Head
from vetlla.tables.source import STANDARD
from vetlla.tables.target import kind_of, write
from vetlla.tasks.cards import changing, looking
from vetlla.tasks.cards.erased import doubts_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from vetlla.domain.cards import Card
    from vetlla.store.cards.log import CardReading
    from vetlla.store.cards.table import CardDamage
    from vetlla.tasks.cards.place import CardPlace

app = typer.Typer(help="Keep the cards that operators see at an alarm, and see who read them.", no_args_is_help=True)

DAMAGED = 1
"""Exit status if a card or the log is not as it was written."""
LEFT_OUT_SHOWN = 20
"""Most damaged cards that a person is shown; --json and `vetlla cards verify` show all."""
CARD_BYTES_MAX = 1 << 18
"""Most bytes of a card as JSON: all its fields at their longest, in characters of four bytes."""


class CardFiles(NamedTuple):
    """Options that say where the cards and their key are."""

    key_file: CardsKeyFile = None
    state_dir: StateDir = DEFAULT_STATE_DIR

    def place(self) -> CardPlace:
        """Return the place of the cards."""
        return place_of(self.key_file, self.state_dir)


Home = Annotated[str, typer.Argument(metavar="HOME", help="Code of the home.")]


@app.command("import")
@with_option_groups
def import_(
    file: ImportFile,
    *,
    options: FileOptions,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    files: CardFiles,
) -> None:
    """Import cards: all rows of a file or, if any is bad, nothing. Importing it again changes nothing.

    Column what says if a row is about a home, a person or a contact. A file with contacts replaces all contacts of the
    homes in it, and leaves the rest of their cards; people and homes likewise. See docs/cards.md for the columns.

    A home that is not in the inventory, a person who lives in another home there, and a home whose data were erased are
    imported with a warning.

    Exit status: 0 all is imported, 1 all but the homes whose cards are damaged, 64 nothing, because a row is bad.

    Example: vetlla cards import cards.xlsx --dry-run
    """
    place = files.place()
    with importing(file, CARDS, options, what="cards", as_json=as_json) as (reader, rows):
        done = changing.import_cards(place, CLOCK, rows, by=actor(), dry_run=dry_run)
    if done.faults:
        refuse(file, done.faults, reader, as_json=as_json)
    with verdict(DAMAGED if done.left_out else 0):
        if as_json:
            left_out = _damage_fields(done.left_out)
            warnings = [one._asdict() for one in done.doubts]
            told = {**done.effects, "left_out": left_out, "warnings": warnings, "dry_run": dry_run}
            print_json({"file": str(file), **told})
            return
        said = ", ".join(f"{number} {name}" for name, number in done.effects.items())
        console().print(f"{file}: {said}{' (dry run: nothing was written)' if dry_run else ''}", soft_wrap=True)
        _tell_left_out(done.left_out)
        tell_doubts(done.doubts)


@app.command()
@with_option_groups
def export(
    file: ExportFile,
    *,
    reason: Annotated[str, typer.Option("--reason", parser=as_note, metavar="TEXT", help="Why, for the log.")] = "",
    form: ExportFormat = None,
    files: CardFiles,
) -> None:
    """Write all cards to a file that `vetlla cards import` takes back unchanged. The file is not encrypted.

    Only its owner can open the file (mode 0600).

    The log records the export and its reason, as a reading of every card. A damaged card is named and left out.

    Exit status: 0 all cards are in the file, 1 some are damaged and were left out.

    Example: vetlla cards export cards.xlsx --reason "hand-over to the next contractor"
    """
    kind_of(file, form)
    place = files.place()
    done = looking.export_cards(place, CLOCK, reason=reason, by=actor())
    write(file, HEADING, done.rows(), "cards", kind=form, private=True)
    with verdict(DAMAGED if done.left_out else 0):
        _tell_left_out(done.left_out)


@app.command("set")
@with_option_groups
def set_(
    home: Home,
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="The card as JSON; - for standard input.")],
    *,
    as_json: AsJson = False,
    files: CardFiles,
) -> None:
    """Set the whole card of a home from JSON, in the form of `vetlla home --json` (its object card).

    A card that contradicts the inventory, and one of a home whose data were erased, are set with a warning.

    A card is not written as arguments, because other users of the machine can see them.

    Example: vetlla home H-0017 --reason edit --json | jq .card | vetlla cards set H-0017 -
    """
    place = files.place()
    card = _card_in(file, home)
    found = doubts_before(files.state_dir, CLOCK, card)
    changed = changing.set_card(place, CLOCK, card, by=actor())
    if as_json:
        print_json({"home": home, "changed": changed, "warnings": [one.what for one in found]})
    else:
        console().print(f"home {home}: {'card set' if changed else 'unchanged'}", soft_wrap=True)
        tell_doubts(found)


@app.command()
def erase(
    home: Home,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    dry_run: DryRun = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Erase the card of a home. `vetlla erase` does this too, for a home that left.

    The log keeps the code of the home, and who read the card and when.

    Example: vetlla cards erase H-0017 --yes
    """
    if not looking.has_card(state_dir, home):
        raise UsageError(
            f"home {home} has no card", remedy="check its code: vetlla inventory list shows codes of homes"
        )
    if not dry_run:
        confirm("Erase this card?", [f"the card of home {home}"], yes=yes)
        changing.erase_card(state_dir, CLOCK, home, by=actor())
    if as_json:
        print_json({"home": home, "erased": not dry_run, "dry_run": dry_run})
    else:
        console().print(f"home {home}: card {'would be erased' if dry_run else 'erased'}", soft_wrap=True)


@app.command()
def readers(
    home: Annotated[str, typer.Argument(metavar="[HOME]", help="Code of the home. Default: all homes.")] = "",
    *,
    by: Annotated[str, typer.Option("--by", metavar="USER", help="Only readings of this user.")] = "",
    since: Since = "",
    limit: Limit = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List who read a card or tried to, when and why, oldest first. An export is a reading of every card.

    Column did: read, export; or an attempt: absent (the home has no card), failed (the card did not open), refused (the
    reason was not accepted).

    Example: vetlla cards readers H-0017 --since 30d
    """
    found = looking.readers(state_dir, home=home, by=by, since_us=within(since, "")[0] or 0)
    rows = map(_reading_fields if as_json else _reading_row, found)
    print_some(rows, ("at", "by", "home", "did", "alarm", "reason"), limit, as_json=as_json)


@app.command()
@with_option_groups
def verify(
    *,
    expect: Annotated[
        str, typer.Option(metavar="ID:HASH", help="A head that was printed earlier; the log must still contain it.")
    ] = "",
    as_json: AsJson = False,
    files: CardFiles,
) -> None:
    """Check that no card and no record of the log was changed, moved, put back or removed; print the log's head.

    The head is the number of records and the hash of the last one. Keep it elsewhere: an older copy of the whole file
    is whole in itself, and only the expected head shows that it is older.

    Exit status: 0 all is whole, 1 something is damaged.

    Example: vetlla cards verify --expect "$(tail -1 /mnt/elsewhere/cards-heads)"
    """
    found = looking.verified(files.place(), expect=Head.parse(expect) if expect else None)
    with verdict(DAMAGED if found.damage else 0):
        if as_json:
            damage = _damage_fields(found.damage)
            print_json({"whole": not damage, "head": str(found.head), "cards": found.cards, "damage": damage})
            return
        for one in found.damage:
            console().print(_damage_line(one), soft_wrap=True)
        console().print(str(found.head), soft_wrap=True)


@app.command()
@with_option_groups
def rekey(
    *,
    finish: Annotated[bool, typer.Option("--finish", help="Drop the previous key.")] = False,
    as_json: AsJson = False,
    files: CardFiles,
) -> None:
    """Make a new key and seal all cards with it; the first call makes the first key. No key is ever printed.

    The file keeps the previous key until --finish, because backups made before need it. Copy the file to a safe place.

    A damaged card is named and stays as it is, and --finish waits until it is set again or erased.

    Exit status: 0 all cards have the new key, 1 some are damaged and have not.

    Example: vetlla cards rekey
    """
    place = files.place()
    done = changing.rekey(place, CLOCK, by=actor(), finish=finish)
    with verdict(DAMAGED if done.left_out else 0):
        if as_json:
            left_out = _damage_fields(done.left_out)
            told = {"cards": done.cards, "key": done.key_id, "rotating": done.is_rotating, "left_out": left_out}
            print_json(told)
            return
        console().print(f"{done.cards} cards are sealed with key {done.key_id} of {place.key_file}", soft_wrap=True)
        if done.is_rotating:
            talk().print("the previous key stays in the file until: vetlla cards rekey --finish", soft_wrap=True)
        _tell_left_out(done.left_out)


def _damage_fields(damage: Sequence[CardDamage]) -> list[dict[str, str]]:
    return [one._asdict() for one in damage]


def _damage_line(one: CardDamage) -> str:
    return f"home {one.home}: {one.what}" if one.home else one.what


def _tell_left_out(damage: Sequence[CardDamage]) -> None:
    for one in damage[:LEFT_OUT_SHOWN]:
        talk().print(f"left out: {_damage_line(one)}", style="yellow", soft_wrap=True)
    if (more := len(damage) - LEFT_OUT_SHOWN) > 0:
        talk().print(f"left out: {more} more: vetlla cards verify names all", style="yellow", soft_wrap=True)
    if damage:
        talk().print("set each again: vetlla cards set; or erase it: vetlla cards erase", soft_wrap=True)


def _card_in(path: Path, home: str) -> Card:
    """Return the card in a file. Raises UsageError, without its content, if it is none."""
    try:
        content = json.loads(_bytes_of(path))
        if not isinstance(content, dict):
            raise UsageError(f"{path}: is no JSON object", remedy="docs/cards.md shows the form of a card")
        if content.setdefault("home", home) != home:
            raise UsageError(f"{path}: is the card of another home", remedy=f"write the code {home}, or leave it out")
        return CARD.validate_json(json.dumps(content))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}", remedy="check the name of the file") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place, what = first["loc"], first["msg"]
        if first["type"] == "unexpected_keyword_argument":  # its name may be a person's
            place, what = place[:-1], "has a field that no card has"
        where = "".join(f"{one}: " for one in (".".join(map(str, place)),) if one)
        raise UsageError(f"{path}: {where}{what}", remedy="docs/cards.md shows the form of a card") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is no JSON", remedy="docs/cards.md shows the form of a card") from None


def _bytes_of(path: Path) -> bytes:
    if path == STANDARD:
        content = sys.stdin.buffer.read(CARD_BYTES_MAX + 1)
    else:
        with open_input(path) as file:
            content = file.read(CARD_BYTES_MAX + 1)
    if len(content) > CARD_BYTES_MAX:
        raise UsageError(
            f"{path}: is longer than {CARD_BYTES_MAX} bytes", remedy="docs/cards.md shows the form of a card"
        )
    return content


def _reading_fields(one: CardReading) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": iso(one.at_us),
        "by": one.actor,
        "home": one.home or None,
        "did": one.action,
        "alarm": one.alarm,
        "reason": one.reason,
    }


def _reading_row(one: CardReading) -> dict[str, Any]:
    return _reading_fields(one) | {"at": shown(one.at_us), "home": one.home or "all homes"}
