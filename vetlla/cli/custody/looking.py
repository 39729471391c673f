"""``vetlla custody list`` and ``show``."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.custody.rows import COLUMNS, KeyCode, chain_fields, key_fields, key_row
from vetlla.cli.kit.duty_rows import EVENT_COLUMNS, all_events, event_row
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.clock import SECOND_US
from vetlla.domain.codes import code_key
from vetlla.service.custody.chain import KeyState, place_key
from vetlla.store.homes.queries import must_know_home
from vetlla.tasks.custody import register

CHAIN_COLUMNS = (*(name for name in EVENT_COLUMNS if name not in {"from", "to", "ref"}), "wrong")


@with_option_groups
def list_(
    out_since: Annotated[
        float | None,
        duration("--out-since", help="Only those that have been out for longer than this, such as 12h.", unit=""),
    ] = None,
    holder: Annotated[str, typer.Option("--holder", metavar="CODE", help="Only those that this person has.")] = "",
    home: Annotated[str, typer.Option("--home", help="Only those of this home.")] = "",
    place: Annotated[str, typer.Option("--place", help="Only those whose place begins with this.")] = "",
    state: Annotated[KeyState | None, typer.Option("--state", help="Only those in this state.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were returned or destroyed.")] = False,
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List the keys in custody: where each one is, and who has it.

    Example: vetlla custody list --out-since 12h --holder T07
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        must_know_home(connection, home)
        wanted = (
            key
            for key in register.keys(connection, rules)
            if (every or state is not None or key.in_custody)
            and (state is None or key.state is state)
            and (not holder or code_key(key.holder) == code_key(holder))
            and (not home or key.home == home)
            and place_key(key.place).startswith(place_key(place))
            and (
                out_since is None
                or (key.state is KeyState.OUT and now_us - key.since_us > round(out_since * SECOND_US))
            )
        )
        print_some(map(key_fields if view.as_json else key_row, wanted), COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def show(
    key: KeyCode,
    known: Known = "",
    *,
    view: DutyView,
) -> None:
    """Show a key: who has it now, its authorisation, and the whole chain of hand-overs.

    Example: vetlla custody show K0123
    """
    with view.reading(known) as (connection, rules, _):
        found = register.key_named(connection, rules, key)
        every = all_events(connection, rules, found.duty)
    fields, events = key_fields(found), chain_fields(found)
    events += [event | {"wrong": ""} for event in every[len(events) :]]
    if view.as_json:
        print_json(fields | {"events": events})
        return
    out = console()
    out.print(f"{found.code} of {found.home} {found.whereabouts()}", style="bold", soft_wrap=True)
    out.print(
        f"  copies {fields['copies']}, authorisation {fields['authorisation']}, may be returned to"
        f" {fields['may_return']}",
        soft_wrap=True,
    )
    print_rows((event_row(event) for event in events), CHAIN_COLUMNS, as_json=False)
