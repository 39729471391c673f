"""What custody misses in events of keys that were recorded as duties, so that the user can correct it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.service.custody.chain import KEY, KeyAct, by_another
from vetlla.service.custody.checking import shared_codes
from vetlla.service.custody.columns import missing
from vetlla.tasks.custody.register import keys
from vetlla.tasks.duties.book import WITHDRAW
from vetlla.tasks.duties.order import keys_of_code

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.domain.duties import Duty
    from vetlla.service.duties.terms import DutyRules

COMMANDS: Final = {
    KeyAct.CEDED: "cede HOME --code KEY",
    KeyAct.STORED: "move KEY",
    KeyAct.TAKEN: "take KEY",
    KeyAct.RETURNED: "return KEY",
    KeyAct.DESTROYED: "destroy KEY",
}
"""The commands of acts that custody does not record without some details."""


def doubts_of(connection: sqlite3.Connection, rules: DutyRules, duty: Duty, source: str) -> Iterator[str]:
    """Yield what is wrong with the event that was recorded last of a duty: what it lacks, and very grave faults.

    Of other kinds than keys nothing is yielded.
    """
    if duty.kind != KEY:
        return
    event = max(duty.events, key=lambda event: event.id)
    act, name = event.told.event, duty.ref
    if lacking := missing(event.told):
        command = COMMANDS[KeyAct(act)].replace("KEY", name).replace("HOME", duty.subject)
        yield (
            f"custody needs {', '.join(lacking)} of a key that is {act}, and {source} does not record it: take it back"
            f" ({WITHDRAW.replace('EVENT', str(event.id))}), and record it with vetlla custody {command}"
        )
    for key in keys_of_code(connection, rules, name):
        if key.duty.id == duty.id:
            for wrong, misdeed in key.misdeeds:
                if wrong.id == event.id:
                    yield f"{misdeed.value}: this is a very grave fault, and vetlla custody check is CRITICAL"
            for wrong, holder in key.by_others:
                if wrong.id == event.id:
                    yield by_another(wrong, holder)


def doubts(connection: sqlite3.Connection, rules: DutyRules) -> Iterator[str]:
    """Yield what contradicts itself in the custody of all keys, as after a withdrawal."""
    every = list(keys(connection, rules))
    for code, found in shared_codes(every):
        yield f"code {code} belongs to {len(found)} keys in custody, of {', '.join(key.home for key in found)}"
    for key in every:
        for one in key.impossible:
            yield f"event {one.event.id}: {one.reason}"
