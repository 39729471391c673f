"""Reports come in any order and several times; the result is the same."""

from __future__ import annotations

from datetime import timedelta
from random import Random  # noqa: TC003 - Hypothesis reads the types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.reminders import NOW
from vetlla.domain.messages import Delivery, MessageState
from vetlla.domain.outbox import OwnReport
from vetlla.service.reminders.delivery import merged, state_of

reports = st.lists(
    st.builds(
        OwnReport,
        st.sampled_from(Delivery),
        st.integers(0, 5).map(lambda n: NOW + timedelta(seconds=n)),
        st.sampled_from(["", "131026", "131049"]),
    ),
    max_size=7,
)


def state(*kinds: Delivery) -> MessageState:
    return state_of(merged(OwnReport(kind, NOW) for kind in kinds), MessageState.ACCEPTED)


@settings(deadline=None)
@given(reports, st.randoms(), st.sampled_from([MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.EXPIRED]))
def test_any_order_with_any_repetition_gives_the_same_state(
    some: list[OwnReport],
    random: Random,
    before: MessageState,
) -> None:
    again = some + random.sample(some, len(some) // 2)
    random.shuffle(again)
    assert merged(again) == merged(some)
    state, progress = before, merged(some)
    for n in range(1, len(again) + 1):  # one by one, as they come
        state = state_of(merged(again[:n]), state)
    assert state == state_of(progress, before)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((Delivery.DELIVERED, Delivery.SENT), MessageState.DELIVERED),
        ((Delivery.READ,), MessageState.READ),
        ((Delivery.DELIVERED, Delivery.FAILED), MessageState.DELIVERED),
        ((Delivery.FAILED, Delivery.DELIVERED), MessageState.DELIVERED),
        ((Delivery.SENT, Delivery.FAILED), MessageState.FAILED),
        ((Delivery.READ, Delivery.ACCEPTED, Delivery.DELIVERED), MessageState.READ),
        ((), MessageState.ACCEPTED),
    ],
)
def test_the_best_report_counts_and_delivered_beats_failed(kinds: tuple[Delivery, ...], expected: MessageState) -> None:
    assert state(*kinds) is expected


def test_read_without_delivered_is_delivered_and_a_failure_is_kept_as_a_flag() -> None:
    progress = merged([OwnReport(Delivery.READ, NOW), OwnReport(Delivery.FAILED, NOW, "131026")])
    assert progress.delivered_at == NOW
    assert (progress.failed_at, progress.code) == (NOW, "131026")


def test_a_late_report_of_sending_does_not_bring_an_ended_message_back() -> None:
    assert state_of(merged([OwnReport(Delivery.SENT, NOW)]), MessageState.EXPIRED) is MessageState.EXPIRED
    assert state_of(merged([OwnReport(Delivery.SENT, NOW)]), MessageState.FAILED) is MessageState.FAILED


def test_what_was_delivered_stays_so_when_its_reports_are_no_longer_kept() -> None:
    late = merged([OwnReport(Delivery.FAILED, NOW, "131026")])
    assert state_of(late, MessageState.DELIVERED) is MessageState.DELIVERED
    assert state_of(merged([OwnReport(Delivery.SENT, NOW)]), MessageState.READ) is MessageState.READ
