"""Random steps of homes and operators, and how they reach the receiver's core: all at once, late, or never."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from hypothesis import strategies as st

from tests.rigs.core import SARA, signal
from tests.rigs.messages import KINDS
from tests.rigs.queue.model import HOMES, RUNAWAY_SIGNALS, Done, OnTest, Said
from vetlla.domain.signals import Event, Kind, Phase
from vetlla.receiver.control.roles import Caller

if TYPE_CHECKING:
    from tests.rigs.core import Core

Step: TypeAlias = Said | Done | OnTest

CODES = {Kind.PERSONAL_EMERGENCY: "101", Kind.DOOR: "130", Kind.BATTERY_LOW: "302", Kind.PERIODIC_TEST: "602"}
REQUESTS = {"hand over": "queue.handover"}

says = st.builds(
    Said,
    account=st.sampled_from(sorted(HOMES)),
    kind=st.sampled_from(sorted(CODES)),
    phase=st.sampled_from([Phase.NEW, Phase.NEW, Phase.NEW, Phase.RESTORE]),
    device=st.sampled_from("12"),
)
chatter = st.builds(lambda said, times: [said] * times, says, st.integers(2, RUNAWAY_SIGNALS + 2))
does = st.one_of(
    st.builds(
        Done,
        do=st.sampled_from(["claim", "claim", "answer", "note", "close", "hand over", "escalate"]),
        alarm=st.integers(1, 9),
        operator=st.sampled_from(["ana", "berta"]),
        to=st.sampled_from(["ana", "berta", "ghost"]),
    ),
    st.builds(Done, do=st.just("claim"), alarm=st.just(0), operator=st.sampled_from(["ana", "berta"])),
    st.builds(
        Done,
        do=st.sampled_from(["claim", "answer", "close", "hand over"]),
        alarm=st.integers(1, 9),
        operator=st.just("sara"),
        force=st.booleans(),
    ),
    st.builds(OnTest, account=st.sampled_from(sorted(HOMES)), seconds=st.sampled_from([0, 30, 300])),
)
turns = st.one_of(st.lists(st.one_of(says, does, does), min_size=1, max_size=5), st.lists(does, min_size=2), chatter)


async def begin(core: Core, steps: list[Step]) -> list[asyncio.Future[Any]]:
    """Begin all steps in one turn of the loop: operators first, because they come first in a batch."""
    asked = {at: ask(core, step) for at, step in enumerate(steps) if not isinstance(step, Said)}
    await asyncio.sleep(0)
    return [asked[at] if at in asked else ask(core, step) for at, step in enumerate(steps)]


def ask(core: Core, step: Step) -> asyncio.Future[Any]:
    """Send a step to the receiver; return the future of its answer."""
    match step:
        case Said():
            said = signal(step.account, CODES[step.kind], kind=step.kind, device=step.device)
            event = Event(step.kind, step.phase, CODES[step.kind], "ADM-CID")
            return core.submit(said._replace(event=event))
        case OnTest():
            asking = core.ask("queue.test", SARA, account=step.account, seconds=step.seconds)
        case Done():
            caller = Caller(step.operator, supervisor=step.operator == "sara", engineer=False)
            do = REQUESTS.get(step.do, f"queue.{step.do}")
            every = {"force": step.force, "to": step.to, "text": "noted", "outcome": "other"}
            taken = {name: value for name, value in every.items() if name in KINDS[do].arguments()}
            asking = core.ask(do, caller, alarm=step.alarm or None, **taken)
        case _:
            assert_never(step)
    return asyncio.ensure_future(asking)


async def gather(core: Core, steps: list[Step]) -> list[Any]:
    """Take steps at once; return each answer or exception."""
    return await asyncio.gather(*await begin(core, steps), return_exceptions=True)


async def leave(core: Core, steps: list[Step], *, writes: bool) -> None:
    """Begin a commit that will never reach the disk; no caller gets an answer.

    ``writes`` says that the steps have something to commit.
    """
    core.journal.gate.clear()
    told = await begin(core, steps)
    if writes:
        await core.held()
    refused = [one for one in told if one.done() and one.exception() is not None]  # a colleague who does not exist
    assert not (writes and any(one.done() for one in told if one not in refused))
    for one in told:
        one.cancel()
    await asyncio.gather(*told, return_exceptions=True)


async def take(core: Core, steps: list[Step]) -> list[Any]:
    """Take steps at once, and commit everything that waits."""
    results = await gather(core, steps)
    await core.sync()
    return results


async def take_late(core: Core, first: list[Step], late: list[Step], *, writes: bool) -> list[Any]:
    """Take some steps while the commit of others is under way. ``writes``: the first ones have something to commit."""
    core.journal.gate.clear()
    begun = await begin(core, first)
    if writes:
        await core.held()
    begun += await begin(core, late)
    core.journal.gate.set()
    results = await asyncio.gather(*begun, return_exceptions=True)
    await core.sync()
    return results
