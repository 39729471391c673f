"""Finds the registered account for a number; if several homes share it, receiver and line decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from vetlla.domain.errors import UsageError
from vetlla.service.queue.triage import caller_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from vetlla.domain.accounts import Account, AccountBook
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.signals import AccountId

_T = TypeVar("_T")


def meant(
    named: str, receiver: str | None, line: str | None, found: Iterable[_T], account_of: Callable[[_T], Account]
) -> _T:
    """Return the registration with a number. Raises UsageError, with the choices if several match.

    ``receiver`` and ``line`` are those of the registration. "" matches a registration for every receiver or line, and
    None matches any registration.
    """
    fitting = [
        one
        for one in found
        if (receiver is None or account_of(one).receiver.upper() == receiver.upper())
        and (line is None or account_of(one).line.upper() == line.upper())
    ]
    if len(fitting) == 1:
        return fitting[0]
    where = "".join((f" receiver {receiver}" if receiver else "", f" line {line}" if line else ""))
    if not fitting:
        raise UsageError(
            f"account {named}{where} is not registered", remedy="register it first; vetlla accounts list shows all"
        )
    choices = "; ".join(sorted(_choice(account_of(one)) for one in fitting))
    raise UsageError(f"account {named}{where} names {len(fitting)} homes", remedy=f"name one: {choices}")


def is_of(alarm: Alarm, account: Account, book: AccountBook) -> bool:
    """Return True if an alarm belongs to this registered account, and not to another one with the same number."""
    if alarm.unknown_account or alarm.account.upper() != account.account.upper():
        return False
    if account.home:
        return alarm.home == account.home
    caller = caller_of(alarm.home, alarm.account)
    return caller is not None and book.find(caller) == account


def names_home(names: Container[str], who: AccountId, book: AccountBook) -> bool:
    """Return True if one of a certificate's names, in capitals, allows its owner to report for a caller.

    A name is the number of an account. If several homes have that number, the name must be receiver, line and number of
    the registration, joined by slashes ("2//1234"). Otherwise a terminal could report for another home.
    """
    registered = book.of_number(who.account)
    if len(registered) <= 1:
        return who.account.upper() in names
    account = book.find(who)
    return account is not None and f"{account.receiver}/{account.line}/{account.account}".upper() in names


def _choice(account: Account) -> str:
    home = f" (home {account.home})" if account.home else ""
    return f"--receiver '{account.receiver}' --line '{account.line}'{home}"
