"""Messages about the queue: lists of alarms, the steps of operators, accounts on test."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.signals import Kind, Priority
from vetlla.receiver.control.messages.arguments import Limit, Listed, Stripped, Text, Words
from vetlla.receiver.control.messages.base import PAGE_MAX, OneOf, Request, Spelled, answer_form

TEST_MAX_S = 7 * 24 * 3600
"""A test lasts at most a week, so that no account stays on test for ever because an engineer forgot it."""
NOTE_MAX = 4_000
"""Characters of one note."""
NAME_MAX = 255
"""Characters of a user name. No name is longer, because its limit in bytes is the same (LOGIN_NAME_MAX)."""


# --- answers ----------------------------------------------------------------------------------------------------------

Place: TypeAlias = tuple[int, Annotated[bool, Field(strict=False)], int, int]
"""A place in the queue. Clients send it back unchanged, and do not interpret it."""


@answer_form
class AlarmFields(TypedDict):
    """An open alarm at the moment of the answer. Stamps are in ISO 8601; durations have the suffix ``_s``."""

    id: int
    home: str
    account: str
    kind: Annotated[str, OneOf(*Kind)]
    priority: Annotated[str, OneOf(*Priority.__members__)]
    why: str
    first_signal: int
    chained_to: int | None
    unknown_account: bool
    on_test: bool
    runaway: bool
    escalated: int
    state: Annotated[str, OneOf(*State)]
    operator: str
    outcome: Annotated[str, OneOf(*AlarmOutcome)] | None
    escalated_by: str
    escalated_why: str
    escalated_at: str | None
    signals: int
    last_signal: int
    told_again: int
    last_told_again: str | None
    established: str
    opened: str
    ready: str | None
    warned: str | None
    overdue: str | None
    claimed: str | None
    answered: str | None
    lapsed: str | None
    closed: str | None
    age_s: float
    t2_s: float | None
    t3_s: float | None
    lease_s: float | None
    due_s: float | None


@answer_form
class AlarmPage(TypedDict):
    """One page of the open alarms."""

    alarms: list[AlarmFields]
    total: int
    next: Place | None
    """The place that the next page follows; null on the last page."""


@answer_form
class StepDone(AlarmFields):
    """An alarm after a step of an operator, and the step as the audit records it."""

    action: str
    actor: str
    at: str
    detail: dict[str, object]
    durable: bool
    """False if the store has failed, so that the step is not on the disk yet."""


@answer_form
class RunningTest(TypedDict):
    """An account on test."""

    account: str
    receiver: str
    line: str
    since: str
    until: str
    operator: str
    reason: str


@answer_form
class OrderedTest(TypedDict):
    """A test that began or ended. If it ended, ``until`` is null."""

    account: str
    receiver: str
    line: str
    home: str
    until: str | None
    operator: str
    reason: str
    closed: list[int]
    """Alarms that the end of the test closed as test calls."""
    durable: bool


# --- requests ---------------------------------------------------------------------------------------------------------


class ListAlarms(Request[AlarmPage]):
    """List open alarms in the order in which operators take them, page by page. A missing condition matches all."""

    do: Literal["queue.list"] = "queue.list"
    priorities: Listed[Annotated[Priority, Spelled(Priority.__members__)]] = ()
    states: Listed[Annotated[State, Spelled({one.value: one for one in State})]] = ()
    home: Words = ""
    account: Words = ""
    mine: bool = False
    """List only the alarms that the caller holds."""
    on_test: bool = False
    """List the alarms of accounts on test instead."""
    limit: Limit = PAGE_MAX
    after: Annotated[
        Annotated[Place, Field(strict=False)] | None, Field(description="leave it out for the first page")
    ] = None
    """The value of ``next`` in the page before."""
    count: bool = False
    """Answer only the total, without alarms."""

    def following(self, place: Sequence[int]) -> "ListAlarms":
        """Return the request for the next page: that behind ``next`` of an answer, which JSON gives as a list."""
        return ListAlarms.model_validate(self.model_dump() | {"after": place})


class ShowAlarm(Request[AlarmFields]):
    """Show one open alarm."""

    do: Literal["queue.show"] = "queue.show"
    alarm: int


class ClaimAlarm(Request[StepDone]):
    """Claim an alarm. Without a number, claim the first alarm that waits."""

    do: Literal["queue.claim"] = "queue.claim"
    alarm: int | None = None
    force: bool = False


class AnswerAlarm(Request[StepDone]):
    """Record that the operator speaks with the home."""

    do: Literal["queue.answer"] = "queue.answer"
    alarm: int
    force: bool = False


class NoteAlarm(Request[StepDone]):
    """Add a note to an alarm."""

    do: Literal["queue.note"] = "queue.note"
    alarm: int
    text: Annotated[str, Field(min_length=1, max_length=NOTE_MAX), Stripped]


class CloseAlarm(Request[StepDone]):
    """Close an alarm with its outcome."""

    do: Literal["queue.close"] = "queue.close"
    alarm: int
    outcome: Annotated[
        AlarmOutcome,
        Spelled({one.value: one for one in AlarmOutcome}),
        Field(description=f"an alarm is closed with an outcome: one of {', '.join(AlarmOutcome)}"),
    ]
    force: bool = False


class HandOverAlarm(Request[StepDone]):
    """Give an alarm to another operator."""

    do: Literal["queue.handover"] = "queue.handover"
    alarm: int
    to: Annotated[str, Field(min_length=1, max_length=NAME_MAX), Stripped]
    force: bool = False


class EscalateAlarm(Request[StepDone]):
    """Put an alarm before a supervisor."""

    do: Literal["queue.escalate"] = "queue.escalate"
    alarm: int
    why: Words = ""


class OrderTest(Request[OrderedTest]):
    """Put a registered account on test, or end its test."""

    do: Literal["queue.test"] = "queue.test"
    account: Text
    receiver: Words | None = None
    line: Words | None = None
    seconds: Annotated[int, Field(ge=0, le=TEST_MAX_S, description=f"a test lasts up to {TEST_MAX_S} s, and 0 ends it")]
    reason: Words = ""


class ListTests(Request[list[RunningTest]]):
    """List the accounts on test."""

    do: Literal["queue.tests"] = "queue.tests"
