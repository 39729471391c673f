"""The options of commands about keys, and how a key is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from vetlla.cli.kit.duty_rows import Entry, event_fields
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.option_groups import Instead
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.domain.clock import iso
from vetlla.domain.column_types import MAX_TEXT, is_short
from vetlla.service.custody.chain import KEY, AlarmCheck, KeyAct, alarm_check, by_another, details_of
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.custody import alarms, register

if TYPE_CHECKING:
    from vetlla.domain.duties import DutyEvent
    from vetlla.service.custody.chain import CustodyKey

COLUMNS = ("key", "home", "state", "place", "holder", "since", "copies", "authorisation", "may return")


def code(text: str) -> str:
    """Return a code that an option gives; typer reports one that is too long."""
    if not text.strip() or not is_short(text):
        raise typer.BadParameter(f"should have from 1 to {MAX_TEXT} printable characters")
    return text.strip()


def _code_if_any(text: str) -> str:
    return code(text) if text else ""


KeyCode = Annotated[str, typer.Argument(metavar="KEY", parser=code, help="The code that is written on the key.")]
Where = Annotated[
    str, typer.Option("--place", parser=code, metavar="TEXT", help='Its place, such as "cabinet A, hook 14".')
]

OtherPlace = Annotated[
    str, typer.Option("--place", parser=_code_if_any, metavar="TEXT", help="Its place, if it is another one now.")
]
Witness = Annotated[
    str, typer.Option("--witness", parser=_code_if_any, metavar="CODE", help="Code of the person who saw it.")
]


_OF_CHECK: Final = {
    AlarmCheck.MISSING: "is not in the journal",
    AlarmCheck.OTHER_HOME: "is of another home",
    AlarmCheck.UNCHECKED: "counts unchecked, because the journal cannot be read",
}


_Note = Annotated[str, typer.Option("--note", parser=as_note, metavar="TEXT", help="A note, without personal data.")]
KeyEntry: TypeAlias = Annotated[Entry, Instead(ref=None, note=_Note)]
"""Options of every command that records an act on a key. The key's code is the reference, and an act may have a reason
of its own."""


def act(key: str, what: KeyAct, entry: KeyEntry, command: str, **details: str) -> None:
    """Record an act on a key, and print the key as it then is.

    A use without --by is that of the person who has the key, and not of the user who writes it down.
    """
    rules = entry.rules()
    told = entry.told(KEY, "", what.value, **details)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        recording = entry.recording(f"custody {command}")
        if what is KeyAct.USED and not entry.by:
            told = told._replace(by=register.key_named(connection, rules, key).holder)
        if details.get("alarm"):
            done = alarms.act_for_alarm(connection, rules, key, told, recording, state_dir=entry.state_dir)
        else:
            done = register.act(connection, rules, key, told, recording)
    print_key(done, as_json=entry.as_json)


def key_fields(key: CustodyKey) -> dict[str, Any]:
    """Return a key for a machine, without its events."""
    return {
        "key": key.code,
        "home": key.home,
        "state": key.state.value,
        "in_custody": key.in_custody,
        "place": key.place,
        "holder": key.holder,
        "since": iso(key.since_us),
        "copies": int(key.ceded.get("copies", "1")),
        "authorisation": key.ceded.get("authorisation", ""),
        "may_return": ";".join(key.may_return),
        "ceded": iso(key.duty.opened_us),
        "duty": key.duty.id,
    }


def key_row(key: CustodyKey) -> dict[str, Any]:
    """Return a key for a table."""
    fields = key_fields(key)
    return fields | {"since": to_the_second(key.since_us), "may return": fields["may_return"]}


def chain_fields(key: CustodyKey) -> list[dict[str, Any]]:
    """Return the events of a key for a machine, each with what is wrong with it."""
    wrong = {event.id: by_another(event, holder) for event, holder in key.by_others}
    wrong |= {event.id: misdeed.value for event, misdeed in key.misdeeds}
    wrong |= {one.event.id: one.reason for one in key.impossible}
    return [_event(event, wrong.get(event.id, "")) for event in key.duty.events]


def _event(event: DutyEvent, wrong: str) -> dict[str, Any]:
    return event_fields(event) | {"wrong": wrong}


def print_key(key: CustodyKey, *, as_json: bool) -> None:
    """Print a key after an act: for a machine with its chain, for a person in one line."""
    if as_json:
        print_json(key_fields(key) | {"events": chain_fields(key)})
        return
    console().print(f"{key.code} of {key.home} {key.whereabouts()}", soft_wrap=True)
    last = key.duty.events[-1]
    details = details_of(last)
    if details.get("alarm") and (check := alarm_check(details)) is not AlarmCheck.KNOWN:
        console().print(f"  alarm {details['alarm']} {_OF_CHECK[check]}", soft_wrap=True)
    for event, holder in key.by_others:
        if event.id == last.id:
            console().print(f"  {by_another(event, holder)}", soft_wrap=True)
    for event, misdeed in key.misdeeds:
        if event.id == last.id:
            console().print(f"  {misdeed.value}: this is a very grave fault", soft_wrap=True)
