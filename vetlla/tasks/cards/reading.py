"""Read a card. The reading is in the log before the caller gets the card; without a reason there is no reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError, UsageError
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


def check_reason(state_dir: Path, home: str, reason: ReadReason) -> None:
    """Raise UsageError unless there is a reason: a text, or an alarm of this home.

    If the journal cannot be read, the number of the alarm counts: a person may be waiting for help.
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
    except StoreError:
        return
    if alarm is None or alarm.home != home:
        raise UsageError(
            f"alarm {reason.alarm} is not one of home {home}",
            remedy='vetlla queue list shows the alarms; for another reason: --reason "..."',
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
