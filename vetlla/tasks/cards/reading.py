"""Read a card. The reading is in the log before the caller gets the card; without a reason there is no reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import AccessError, StoreError, UsageError
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import PATIENCE_S, is_kept, opened
from vetlla.store.cards.sealing import CardKeys
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.cards import Card, ReadReason
    from vetlla.domain.clock import Clock


class CardPlace(NamedTuple):
    """Where the cards are, and the file with their key."""

    state_dir: Path
    key_file: Path


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
            remedy='say why you read the card now: --reason "..."',
        )


def read_card(
    place: CardPlace, clock: Clock, home: str, reason: ReadReason, *, by: str, patience_s: float = PATIENCE_S
) -> Card | None:
    """Return the card of a home, after the reading is on the disk; None if the home has no card.

    ``check_reason`` must have accepted the reason. Raises AccessError, ConfigError for a missing key, and StoreError.
    """
    if not is_kept(place.state_dir):
        return None
    with opened(place.state_dir, clock, patience_s=patience_s) as db:
        keys = CardKeys.read(place.key_file)
        with atomic(db):
            row = table.row_of(db, home)
            if row is None:
                return None
            card = keys.unseal(row)
            log.write(db, [log.entry(clock.now().utc_us, by, log.READ, home, log.reason_fields(reason))])
    return card
