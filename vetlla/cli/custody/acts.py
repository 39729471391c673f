"""``vetlla custody cede``, ``take``, ``bring-back`` and so on: what happens to a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.custody.certificate import LanguageOption, check_ending, write_certificate
from vetlla.cli.custody.rows import KeyCode, KeyEntry, OtherPlace, Where, Witness, act, code, print_key
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.registry import CLOCK
from vetlla.documents.custody.certificate import PaperLanguage
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import UsageError
from vetlla.service.custody.chain import KEY, MAY_RETURN, KeyAct, TakingReason
from vetlla.service.custody.columns import COPIES_MAX
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.custody import register

Alarm = Annotated[
    int | None,
    typer.Option(
        "--alarm", min=1, max=NUMBER_MAX, metavar="ID", help="Number of the emergency's alarm in the journal."
    ),
]


@with_option_groups
def cede(
    home: Annotated[str, typer.Argument(metavar="HOME", help="Code of the home that it opens.")],
    key: Annotated[str, typer.Option("--code", parser=code, metavar="KEY", help="The code written on the key.")],
    place: Where,
    authorisation: Annotated[
        str, typer.Option("--authorisation", parser=code, metavar="REF", help="Number of the signed authorisation.")
    ],
    may_return: Annotated[
        list[str],
        typer.Option(
            "--may-return", parser=code, metavar="CODE", help="Code of a person who may get it back; several times."
        ),
    ],
    copies: Annotated[int, typer.Option("--copies", min=1, max=COPIES_MAX, help="Copies under this code.")] = 1,
    *,
    entry: KeyEntry,
) -> None:
    """Take a key into custody, with the written authorisation. Write codes, and no names or addresses.

    Example: vetlla custody cede H000123 --code K0123 --place "cabinet A, hook 14" --authorisation A-77 --may-return P9
    """
    rules = entry.rules()
    details = {"place": place, "authorisation": authorisation, MAY_RETURN: ";".join(may_return), "copies": str(copies)}
    told = entry.told(KEY, home, "", **details)._replace(ref=key)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        made = register.cede(connection, rules, told, entry.recording("custody cede"))
    print_key(made, as_json=entry.as_json)


@with_option_groups
def take(
    key: KeyCode,
    reason: Annotated[TakingReason, typer.Option("--reason", help="Why it leaves its place.")],
    alarm: Alarm = None,
    *,
    entry: KeyEntry,
) -> None:
    """Record that a person (--by) takes a key from its place. Only one person can have a key.

    Example: vetlla custody take K0123 --by T07 --reason emergency --alarm 4711
    """
    if not entry.by:
        raise UsageError("it is not said who takes the key", remedy="give the code of that person with --by")
    if reason is TakingReason.EMERGENCY and not alarm:
        raise UsageError("an emergency has an alarm", remedy="give its number with --alarm")
    act(key, KeyAct.TAKEN, entry, "take", reason=reason.value, alarm=str(alarm or ""))


@with_option_groups
def bring_back(key: KeyCode, place: OtherPlace = "", *, entry: KeyEntry) -> None:
    """Record that a key is back in its place, or in another one.

    Example: vetlla custody bring-back K0123 --by T07
    """
    act(key, KeyAct.BROUGHT_BACK, entry, "bring-back", place=place)


@with_option_groups
def move(key: KeyCode, place: Where, *, entry: KeyEntry) -> None:
    """Record that a key got another place.

    Example: vetlla custody move K0123 --place "cabinet B, hook 2"
    """
    act(key, KeyAct.STORED, entry, "move", place=place)


@with_option_groups
def use(key: KeyCode, alarm: Alarm = None, *, entry: KeyEntry) -> None:
    """Record that the door was opened with a key that is out.

    Keys may be used in an emergency only. A use without --alarm, or for an alarm that is not in the journal or is of
    another home, is recorded, and is a very grave fault (tender, 17). If the journal cannot be read, the alarm counts.
    Without --by the person who has the key used it; a use by another person is recorded and marked.

    Example: vetlla custody use K0123 --alarm 4711 --by T07 --at 20m
    """
    act(key, KeyAct.USED, entry, "use", alarm=str(alarm or ""))


@with_option_groups
def lost(key: KeyCode, *, entry: KeyEntry) -> None:
    """Record that a key is lost, which is a very grave fault (tender, 17).

    Example: vetlla custody lost K0123 --at 2026-11-30T18:00
    """
    act(key, KeyAct.LOST, entry, "lost")


@with_option_groups
def found(key: KeyCode, place: OtherPlace = "", *, entry: KeyEntry) -> None:
    """Record that a lost key was found and is in its place. The loss stays on record.

    Example: vetlla custody found K0123
    """
    act(key, KeyAct.FOUND, entry, "found", place=place)


@with_option_groups
def return_key(
    key: KeyCode,
    to: Annotated[str, typer.Option("--to", parser=code, metavar="CODE", help="Code of the person who received it.")],
    receipt: Annotated[str, typer.Option("--receipt", parser=code, metavar="REF", help="Number of the receipt.")],
    *,
    entry: KeyEntry,
) -> None:
    """Record that a key was returned. To a person who is not authorised, it is recorded as a very grave fault.

    Example: vetlla custody return K0123 --to P9 --receipt R-31
    """
    act(key, KeyAct.RETURNED, entry, "return", to=to, receipt=receipt)


@with_option_groups
def destroy(
    key: KeyCode,
    certificate: Annotated[
        Path, typer.Option("--certificate", metavar="FILE", help="The certificate to write: .pdf or .html.")
    ],
    witness: Witness = "",
    language: LanguageOption = PaperLanguage.CA,
    *,
    entry: KeyEntry,
) -> None:
    """Record that a key was destroyed, and write the certificate of it.

    If the certificate cannot be written, nothing is recorded. vetlla custody certificate writes it again.

    Example: vetlla custody destroy K0123 --by T07 --witness C02 --certificate K0123.pdf
    """
    check_ending(certificate)
    rules = entry.rules()
    details = {"certificate": certificate.name, "witness": witness}
    told = entry.told(KEY, "", KeyAct.DESTROYED.value, **details)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = register.act(connection, rules, key, told, entry.recording("custody destroy"))
        if not entry.dry_run:
            write_certificate(certificate, done, rules, language)
    print_key(done, as_json=entry.as_json)
