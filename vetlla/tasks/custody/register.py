"""Keeps the keys in custody: each act is an event of the duty ``key`` of a home, and its reference is the key's code.

Each function works within the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.custody.chain import KEY, CustodyKey, chain
from vetlla.service.duties.grouping import group
from vetlla.store.duties import events as store
from vetlla.tasks.duties import book
from vetlla.tasks.duties.order import keys_of_code

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

RETURN: Final = "key_return"
DESTRUCTION: Final = "key_destruction"
LEAVING: Final = "vetlla custody left"
"""The source of events that the program decides by itself for homes that left: it may take those back."""


def keys(connection: sqlite3.Connection, rules: DutyRules) -> Iterator[CustodyKey]:
    """Yield every key that is or was in custody, by home and day of its ceding."""
    kind = rules.kinds.kind(KEY)
    for _, _, events in store.by_subject(connection, [KEY]):
        yield from map(chain, group(kind, events).duties)


def key_named(connection: sqlite3.Connection, rules: DutyRules, code: str) -> CustodyKey:
    """Return the key of a code: the one in custody, else the last one.

    Case and spaces make no difference. Raises UsageError if there is none.
    """
    found = keys_of_code(connection, rules, code)
    if not found:
        raise UsageError(f"there is no key {code!r}", remedy="vetlla custody list has the codes")
    return max(found, key=lambda key: (key.in_custody, key.code == code, key.duty.opened_us))


def cede(connection: sqlite3.Connection, rules: DutyRules, told: NewEvent, recording: Recording) -> CustodyKey:
    """Take a key into custody; ``told`` names the home, the code as reference, and the details.

    Raises what ``book.open_duty`` raises, such as UsageError for a code that another key in custody has.
    """
    book.open_duty(connection, rules, told, recording)
    return key_named(connection, rules, told.ref)


def act(
    connection: sqlite3.Connection, rules: DutyRules, code: str, told: NewEvent, recording: Recording
) -> CustodyKey:
    """Record an act on a key; return the key as it then is. A return or destruction ends its other duties, too.

    Raises UsageError for an act that is not possible at its time, or that makes a later act impossible.
    """
    key = key_named(connection, rules, code)
    told = told._replace(kind=KEY, subject=key.home, ref=key.code)
    book.record(connection, rules, key.duty.id, told, recording)
    after = key_named(connection, rules, key.code)
    end_duties(connection, rules, after, told.by, recording)
    return after


def end_duties(
    connection: sqlite3.Connection, rules: DutyRules, key: CustodyKey, by: str, recording: Recording
) -> list[Standing]:
    """Record the end of a key on the open duties to return and to destroy it; return these duties."""
    if key.in_custody:
        return []
    ended = []
    for one in book.open_duties_of(connection, rules, (RETURN, DESTRUCTION), key.home, recording.now_us):
        if key_of(one.duty.ref) != key.code:
            continue
        if key.since_us < one.duty.opened_us:  # it had ended before, so nothing was owed
            note = f"the key was {key.state.value} before that"
            end = NewEvent(one.duty.kind, key.home, "cancelled", one.duty.opened_us, by=by, note=note)
            book.record(connection, rules, one.duty.id, end, recording._replace(source=LEAVING))
            continue
        end = NewEvent(one.duty.kind, key.home, key.state.value, key.since_us, by=by)
        ended.append(book.record(connection, rules, one.duty.id, end, recording))
    return ended


def key_of(ref: str) -> str:
    """Return the code of the key in the reference of a duty to return or destroy it."""
    return ref.rpartition("@")[0]


def ref_of(code: str, left: object) -> str:
    """Return the reference of such a duty: the code of the key, and the day on which its home left."""
    return f"{code}@{left}"
