"""Records acts on keys that name the alarm of an emergency, with what the journal says about this alarm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vetlla.domain.errors import AccessError, StoreError
from vetlla.service.custody.chain import AlarmCheck
from vetlla.service.duties.columns import details_text
from vetlla.store.accounts.table import accounts_of_home
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.tasks.custody import register

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.domain.duties import NewEvent
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording


def act_for_alarm(
    connection: sqlite3.Connection,
    rules: DutyRules,
    code: str,
    told: NewEvent,
    recording: Recording,
    *,
    state_dir: Path,
) -> CustodyKey:
    """Record an act on a key for the alarm that its details name; return the key as it then is.

    What the journal says about the alarm is kept with the act, because the act must be recorded in any case. Raises
    UsageError as ``register.act`` does.
    """
    details = json.loads(told.details)
    home = register.key_named(connection, rules, code).home
    details["alarm_check"] = checked(connection, state_dir, home, int(details["alarm"])).value
    return register.act(connection, rules, code, told._replace(details=details_text(details)), recording)


def checked(connection: sqlite3.Connection, state_dir: Path, home: str, number: int) -> AlarmCheck:
    """Return whether the journal has an alarm, and whether it is of a home. It only reads, also while a receiver runs.

    An alarm that came before its account was registered has the account in place of the home.
    """
    try:
        with Archive(state_dir) as archive:
            alarm = history.alarm(archive, number)
    except (StoreError, AccessError, PermissionError):
        return AlarmCheck.UNCHECKED
    if alarm is None:
        return AlarmCheck.MISSING
    is_of_home = alarm.home in {home, *accounts_of_home(connection, home)}
    return AlarmCheck.KNOWN if is_of_home else AlarmCheck.OTHER_HOME
