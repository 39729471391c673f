"""A number, receiver and line name the right registered account."""

from __future__ import annotations

import pytest

from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId
from vetlla.service.queue.account_matching import meant, names_home

ANYWHERE = Account(account="1234", home="H0")
ONE = Account(account="1234", receiver="1A", home="H1")
LINE = Account(account="1234", receiver="1A", line="2", home="H2")


@pytest.mark.parametrize(
    ("receiver", "line", "expected"),
    [("1a", "", ONE), ("1A", "2", LINE), (None, "2", LINE), ("", None, ANYWHERE), ("", "", ANYWHERE)],
)
def test_receiver_and_line_select_the_account(receiver: str | None, line: str | None, expected: Account) -> None:
    """The case of their digits does not matter; "" is the registration for every receiver or line."""
    assert meant("1234", receiver, line, [ANYWHERE, ONE, LINE], lambda one: one) is expected


def test_a_number_registered_once_needs_no_receiver_and_line() -> None:
    """Most numbers are registered once, and need no receiver and line."""
    assert meant("1234", None, None, [LINE], lambda one: one) is LINE


@pytest.mark.parametrize(("receiver", "line"), [(None, None), ("1A", None), (None, "")])
def test_a_number_that_may_be_another_homes_is_refused(receiver: str | None, line: str | None) -> None:
    """The error shows the choices as options to type."""
    with pytest.raises(UsageError) as refused:
        meant("1234", receiver, line, [ANYWHERE, ONE, LINE], lambda one: one)
    assert "--receiver '1A' --line '' (home H1)" in str(refused.value.remedy)


@pytest.mark.parametrize(("receiver", "line"), [("7", None), (None, "7")])
def test_an_account_that_is_not_registered_is_refused(receiver: str | None, line: str | None) -> None:
    """A registration with another receiver or line belongs to another home."""
    with pytest.raises(UsageError, match="is not registered"):
        meant("1234", receiver, line, [ONE], lambda one: one)


@pytest.mark.parametrize(
    ("name", "receiver", "expected"),
    [("1234", "1A", False), ("1A//1234", "1a", True), ("1A//1234", "2", False), ("//1234", "2", True)],
)
def test_a_certificate_names_one_home(name: str, receiver: str, *, expected: bool) -> None:
    """If several homes have one number, a certificate with the number alone is valid for none of them."""
    book = AccountBook([ANYWHERE, ONE])
    assert names_home({name}, AccountId(receiver, "0", "1234"), book) is expected


@pytest.mark.parametrize(("account", "expected"), [("12ab", True), ("9999", False)])
def test_a_certificate_names_a_number_that_one_home_has(account: str, *, expected: bool) -> None:
    """The case of its digits does not matter, and the number need not be registered yet."""
    assert names_home({"12AB"}, AccountId("", "0", account), AccountBook([ONE])) is expected
