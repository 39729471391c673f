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

    An engineer may register the account of a line receiver, to give it labels or another home.
    """
    if not lines:
        return book, expected
    accounts = [_account(line, next(iter(book.of_number(line.account)), None)) for line in lines]
    names = {account.account.upper() for account in accounts}
    telephone_lines = {
        # The type of a telephone line has no meaning, because its account has an interval for it.
        account.home: [Ucr(DeviceType.UCR, name) for name in line.lines]
        for line, account in zip(lines, accounts, strict=True)
        if line.lines
    }
    others = (account for account in book if account.account.upper() not in names)
    return AccountBook([*others, *accounts], book.districts), expected._replace(
        ucrs={**expected.ucrs, **telephone_lines}
    )


def _account(line: Line, registered: Account | None) -> Account:
    return Account(
        account=line.account,
        home=(registered.home if registered else "") or line.account,
        labels=registered.labels if registered else (),
        interval_s=line.interval_s,
        # Supervision allows a telephone line as many misses as the receiver, which together make its quiet time.
        ucr_interval_s=ceil(line.line_quiet_s / line.allowed_misses) if line.lines else 0,
        allowed_misses=line.allowed_misses,
    )
