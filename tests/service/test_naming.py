"""Which registered account is meant."""

from __future__ import annotations

import pytest

from vetlla.accounts import Account
from vetlla.errors import UsageError
from vetlla.service.naming import meant

ANYWHERE = Account(account="1234", home="H0")
ONE = Account(account="1234", receiver="1A", home="H1")
LINE = Account(account="1234", receiver="1A", line="2", home="H2")


@pytest.mark.parametrize(
    ("receiver", "line", "expected"),
    [("1a", "", ONE), ("1A", "2", LINE), (None, "2", LINE), ("", None, ANYWHERE), ("", "", ANYWHERE)],
)
def test_receiver_and_line_say_which(receiver: str | None, line: str | None, expected: Account) -> None:
    """In any case of their digits; "" is the registration that holds everywhere."""
    assert meant("1234", receiver, line, [ANYWHERE, ONE, LINE], lambda one: one) is expected


def test_one_that_is_alone_needs_no_more() -> None:
    """Most accounts are."""
    assert meant("1234", None, None, [LINE], lambda one: one) is LINE


@pytest.mark.parametrize(("receiver", "line"), [(None, None), ("1A", None), (None, "")])
def test_what_may_be_another_home_is_refused(receiver: str | None, line: str | None) -> None:
    """The choices are told as they are typed."""
    with pytest.raises(UsageError) as refused:
        meant("1234", receiver, line, [ANYWHERE, ONE, LINE], lambda one: one)
    assert "--receiver '1A' --line '' (home H1)" in str(refused.value.remedy)


@pytest.mark.parametrize(("receiver", "line"), [("7", None), (None, "7")])
def test_what_is_not_registered_is_refused(receiver: str | None, line: str | None) -> None:
    """A registration elsewhere is another home's."""
    with pytest.raises(UsageError, match="is not registered"):
        meant("1234", receiver, line, [ONE], lambda one: one)
