"""Read a card. The attempt is in the log before the caller gets the card; without a reason there is no reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.column_types import MAX_TEXT, is_short
from vetlla.domain.errors import AccessError, StoreError, UsageError, VetllaError
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import PATIENCE_S, opened
from vetlla.store.cards.sealing import CardKeys
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.cards.place import is_present

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.domain.cards import Card, ReadReason
    from vetlla.domain.clock import Clock
    from vetlla.tasks.cards.place import CardPlace

ALARM_COUNTS_S: Final = 86_400
"""How long a closed alarm is a reason: the operator of the next shift still calls back, and no curiosity is served."""


def check_reason(state_dir: Path, clock: Clock, home: str, reason: ReadReason) -> None:
    """Raise UsageError unless there is a reason: a text, or an alarm of this home that is open or was closed lately.

    If the journal cannot be read, also for want of permission, the number of the alarm counts: a person may be waiting
    for help.
    """
    if reason.alarm is None:
        if not reason.text.strip():
            raise UsageError(
                f"no reason to read the card of home {home}",
                remedy='name the alarm: --alarm N; or say it: --reason "..."',
            )
        return
    try:
        with Archive(state_dir) as archive:
            alarm = history.alarm(archive, reason.alarm)
    except (StoreError, AccessError):
        return
    if alarm is None or alarm.home != home:
        raise UsageError(
            f"alarm {reason.alarm} is not one of home {home}",
            remedy='vetlla queue list shows the alarms; for another reason: --reason "..."',
        )
    if alarm.closed_us is not None and clock.now().utc_us - alarm.closed_us > ALARM_COUNTS_S * SECOND_US:
        raise UsageError(
            f"alarm {reason.alarm} was closed more than {ALARM_COUNTS_S // 3_600} hours ago, so it is no reason now",
            remedy=f'say why you read the card now: vetlla home {home} --reason "..."',
        )


def read_card(
    place: CardPlace, clock: Clock, home: str, reason: ReadReason, *, by: str, patience_s: float = PATIENCE_S
) -> Card | None:
    """Return the card of a home, after the reading is on the disk; None if the home has no card.

    An attempt without a card is recorded, too: a home without one or an unknown one, a card that does not open, and a
    refused reason. Raises UsageError for a refused reason, AccessError, ConfigError for a missing key, and StoreError.
    """
    if not home.strip() or not is_short(home):
        raise UsageError(
            f"the code of a home has 1 to {MAX_TEXT} printable characters",
            remedy="vetlla inventory list shows codes of homes",
        )
    if not is_present(place):
        check_reason(place.state_dir, clock, home, reason)
        return None
    with opened(place.state_dir, clock, patience_s=patience_s) as db:
        failure: VetllaError | None = None
        card: Card | None = None
        try:
            check_reason(place.state_dir, clock, home, reason)
            card = _card(db, place, home)
        except VetllaError as error:
            failure = error
        action = log.READ if card else log.ABSENT
        if failure:
            action = log.REFUSED if isinstance(failure, UsageError) else log.FAILED
        with atomic(db):
            log.write(db, [log.entry(clock.now().utc_us, by, action, home, log.reason_fields(reason))])
    if failure:
        raise failure
    return card


def _card(db: sqlite3.Connection, place: CardPlace, home: str) -> Card | None:
    row = table.row_of(db, home)
    return None if row is None else CardKeys.read(place.key_file).unseal(row)
