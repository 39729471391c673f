"""A report is accepted or refused by its account, its encryption and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vetlla.domain.accounts import Account, ClockWindow, UnknownPolicy
from vetlla.domain.clock import to_us
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Reason, Signal
from vetlla.service.queue.admission import objection

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PLAIN_HOME = Account(account="1234")
KEYED_HOME = Account(account="1234", key_name="spring")


def signal(*, sealed_with: str = "", stray: timedelta | None = None) -> Signal:
    return Signal(
        protocol="dc09",
        id=AccountId("", "0", "1234"),
        event=Event(Kind.FALL, Phase.NEW, "102", "ADM-CID"),
        raw=b"\n\r",
        sealed_with=sealed_with,
        sent_at=None if stray is None else NOW + stray,
    )


def refused(
    said: Signal,
    account: Account | None,
    *,
    unknown: UnknownPolicy = UnknownPolicy.ACCEPT,
    plain_for_keyed: bool = False,
) -> Reason | None:
    return objection(said, account, to_us(NOW), unknown=unknown, plain_for_keyed=plain_for_keyed)


def test_unregistered_accounts_are_taken_unless_policy_says_no() -> None:
    """A report of an unregistered account is accepted, unless the service refuses such accounts."""
    assert refused(signal(), None) is None
    assert refused(signal(), None, unknown=UnknownPolicy.REFUSE) is Reason.UNKNOWN_ACCOUNT
    assert refused(signal(), PLAIN_HOME, unknown=UnknownPolicy.REFUSE) is None


def test_a_report_in_clear_of_an_account_with_a_key_is_refused() -> None:
    """Otherwise encryption protects no one; the service may choose to accept such reports."""
    assert refused(signal(), KEYED_HOME) is Reason.PLAIN_REFUSED
    assert refused(signal(), KEYED_HOME, plain_for_keyed=True) is None
    assert refused(signal(sealed_with="spring"), KEYED_HOME) is None


@pytest.mark.parametrize(
    ("stray", "reason"),
    [
        (timedelta(seconds=-40), None),
        (timedelta(seconds=-40) - MICROSECOND, Reason.STALE_TIME),
        (timedelta(0), None),
        (timedelta(seconds=20), None),
        (timedelta(seconds=20) + MICROSECOND, Reason.STALE_TIME),
    ],
)
def test_the_clock_window_includes_its_edges(stray: timedelta, reason: Reason | None) -> None:
    """An encrypted frame may be 40 s old and 20 s early, to the microsecond (DC-09)."""
    assert refused(signal(sealed_with="spring", stray=stray), KEYED_HOME) is reason


def test_an_account_may_have_another_window() -> None:
    """Each account has its own window."""
    slow = Account(account="1234", key_name="spring", clock_window=ClockWindow(behind_s=3600, ahead_s=0))
    assert refused(signal(sealed_with="spring", stray=timedelta(hours=-1)), slow) is None
    assert refused(signal(sealed_with="spring", stray=MICROSECOND), slow) is Reason.STALE_TIME


def test_an_account_may_have_no_window() -> None:
    """A report of a terminal whose clock cannot be set is accepted with any time."""
    clockless = Account(account="1234", key_name="spring", clock_window=None)
    assert refused(signal(sealed_with="spring", stray=timedelta(days=-9000)), clockless) is None


def test_a_plain_frame_may_say_any_time() -> None:
    """Unencrypted reports of panels with wrong clocks, or with an alarm stored for an hour, are accepted."""
    assert refused(signal(stray=timedelta(days=-1)), PLAIN_HOME) is None


def test_a_sealed_frame_without_a_time_is_heard() -> None:
    """A report without a time cannot be refused for its time."""
    assert refused(signal(sealed_with="spring"), KEYED_HOME) is None
