"""The account of a caller: the most specific registration wins, and the case of digits does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.signals import AccountId

HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=4)
NUMBERS = st.one_of(st.just(""), st.sampled_from(["0", "00", "1", "C0ffd", "c0FFD"]))


def book(*accounts: tuple[str, str, str]) -> AccountBook:
    return AccountBook(Account(receiver=receiver, line=line, account=account) for receiver, line, account in accounts)


def found(accounts: AccountBook, receiver: str, line: str, account: str) -> tuple[str, str, str] | None:
    entry = accounts.find(AccountId(receiver, line, account))
    return (entry.receiver, entry.line, entry.account) if entry else None


def test_a_bare_account_is_found_whatever_receiver_and_line_the_frame_names() -> None:
    """A home registered by its account alone is found with any receiver and line, as most homes are registered."""
    accounts = book(("", "", "1234"))

    assert found(accounts, "", "0", "1234") == ("", "", "1234")
    assert found(accounts, "7", "A1", "1234") == ("", "", "1234")


def test_the_most_specific_entry_wins() -> None:
    """The order is: receiver and line, then receiver, then line, then the bare account."""
    accounts = book(("", "", "12"), ("", "2", "12"), ("1", "", "12"), ("1", "2", "12"))

    assert found(accounts, "1", "2", "12") == ("1", "2", "12")
    assert found(accounts, "1", "3", "12") == ("1", "", "12")
    assert found(accounts, "3", "2", "12") == ("", "2", "12")
    assert found(accounts, "", "3", "12") == ("", "", "12")


def test_an_entry_for_one_line_is_not_found_on_another() -> None:
    """The same account on another receiver line is another home."""
    accounts = book(("", "2", "12"))

    assert found(accounts, "", "2", "12") == ("", "2", "12")
    assert found(accounts, "", "3", "12") is None
    assert found(accounts, "", "", "12") is None


@pytest.mark.parametrize("account", ["123", "00123", "0124", ""])
def test_leading_zeros_count(account: str) -> None:
    """0123 and 123 are two homes."""
    assert found(book(("", "", "0123")), "", "0", account) is None


def test_case_does_not_matter() -> None:
    """Upper and lower case are equal, because panels send hex digits and letters in both."""
    accounts = book(("c0FFD", "a", "fOC7688"))

    assert found(accounts, "C0ffd", "A", "Foc7688") == ("c0FFD", "a", "fOC7688")


def test_one_place_cannot_be_registered_twice() -> None:
    """Two entries that only case tells apart would make the answer depend on their order."""
    with pytest.raises(ValueError, match="account ab is registered twice"):
        book(("", "", "AB"), ("", "", "ab"))


def test_it_counts_and_yields_its_accounts() -> None:
    """Every entry occurs once, even if several have the same account."""
    accounts = book(("", "", "1"), ("2", "", "1"), ("", "", "3"))

    assert len(accounts) == 3
    assert sorted((entry.receiver, entry.account) for entry in accounts) == [("", "1"), ("", "3"), ("2", "1")]
    assert not list(AccountBook())


@settings(max_examples=200)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, HEX), max_size=20), st.tuples(NUMBERS, NUMBERS, HEX))
def test_it_finds_what_the_rule_says(entries: list[tuple[str, str, str]], asked: tuple[str, str, str]) -> None:
    """The lookup agrees with the rule as it is written."""
    unlike = {tuple(part.upper() for part in entry): entry for entry in entries}
    receiver, line, account = (part.upper() for part in asked)
    candidates = ((receiver, line, account), (receiver, "", account), ("", line, account), ("", "", account))
    expected = next((unlike[candidate] for candidate in candidates if candidate in unlike), None)

    assert found(book(*unlike.values()), *asked) == expected
