"""Line receivers as supervised devices: each is an account, and its telephone lines are devices of that account.

A line receiver that falls silent cuts off thousands of homes whose terminals have no heartbeat of their own. So it is
supervised like a terminal, and its loss opens an alarm.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.devices import DeviceType
from vetlla.domain.supervision import Ucr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.supervision import Expected
    from vetlla.settings.line import Line


def with_line_receivers(book: AccountBook, expected: Expected, lines: Sequence[Line]) -> tuple[AccountBook, Expected]:
    """Return accounts and expected devices with those of line receivers.

    An engineer may register the account of a line receiver, to give it labels; the registered one is then used.
    """
    missing = [line for line in lines if not book.of_number(line.account)]
    if not missing:
        return book, expected
    telephone_lines = {
        # The type of a telephone line has no meaning, because its account has an interval for it.
        line.account: [Ucr(DeviceType.UCR, name) for name in line.lines]
        for line in missing
        if line.lines
    }
    accounts = AccountBook([*book, *map(_account, missing)], book.districts)
    return accounts, expected._replace(ucrs={**expected.ucrs, **telephone_lines})


def _account(line: Line) -> Account:
    return Account(
        account=line.account,
        home=line.account,
        interval_s=line.interval_s,
        # Supervision allows a telephone line as many misses as the receiver, which together make its quiet time.
        ucr_interval_s=ceil(line.line_quiet_s / line.allowed_misses) if line.lines else 0,
        allowed_misses=line.allowed_misses,
    )
