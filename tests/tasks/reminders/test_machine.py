"""Whatever is killed, lost, repeated or done by two at once: no reminder is doubled, and none is wrong."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.rigs.reminders import NOW, appointment, key
from tests.tasks.reminders.machine import RULES, Kill, World
from vetlla.domain.appointments import EXPECTED, AppointmentStatus
from vetlla.domain.messages import Channel, Delivery
from vetlla.service.reminders.steps import schedule
from vetlla.store.reminders import channels
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic

HOUR = timedelta(hours=1)
NAMES = st.integers(0, 4)
PHONES = st.sampled_from([f"+3460000000{n}" for n in range(1, 4)])
HOURS = st.sampled_from([3, 23, 24, 24, 25, 26, 47, 48, 49, 72])
CHANGES = st.lists(
    st.tuples(NAMES, st.sampled_from(["move", "cancel", "forget", "arrive", "phone", "opt out", "want cancelled"])),
    max_size=2,
)
"""What happens between the claim of a message and the look at its appointment."""
WAITS = st.sampled_from([0, 0, 1, 3, 11, 15, 60, 240, 720])
KILLS = st.sampled_from(Kill)
CALLS = st.lists(
    st.sampled_from(["taken", "taken", "lost", "never", "refused 130429", "refused 131026", "refused 131049"]),
    min_size=1,
    max_size=3,
)


class Reminders(RuleBasedStateMachine):
    """The service and the world around it."""

    @initialize(hours=st.lists(HOURS, min_size=3, max_size=3))
    def begin(self, hours: list[int]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vetlla-reminders-"))
        self.world = World(self.folder, NOW)
        for name, hour in enumerate(hours):
            self.world.source.put(appointment(name, NOW + hour * HOUR, phone=f"+3460000000{name + 1}"))
        self.world.poll()

    # --- the office ---------------------------------------------------------------------------------------------------

    @rule(name=NAMES, hours=HOURS, phone=PHONES)
    def book(self, name: int, hours: int, phone: str) -> None:
        """Book an appointment, or move it: a name is one appointment for ever."""
        before = self.world.source.get(key(name))
        if before is None or before.status in EXPECTED:
            self.world.source.put(appointment(name, self.world.now + hours * HOUR, phone=phone))

    @rule(changes=CHANGES)
    def change(self, changes: list[tuple[int, str]]) -> None:
        for name, what in changes:
            self._change(name, what)

    def _change(self, name: int, what: str) -> None:
        world, one = self.world, self.world.source.get(key(name))
        if one is None or one.status not in EXPECTED:
            return
        if what in {"cancel", "forget"}:
            world.changed.add(one.key)
        match what:
            case "move":
                world.source.put(replace(one, start=one.start + HOUR, end=one.end + HOUR))
            case "phone":
                world.source.put(replace(one, phone="+34600000009"))
            case "cancel":
                world.source.put(replace(one, status=AppointmentStatus.CANCELLED))
            case "arrive":
                world.source.put(replace(one, status=AppointmentStatus.ARRIVED))
            case "forget":
                world.source.appointments.pop(one.key)
            case "opt out":
                world.opt_out(one.phone)
            case "want cancelled":
                world.want_cancelled(one.key)

    # --- the service --------------------------------------------------------------------------------------------------

    @rule(lost=st.sets(NAMES, max_size=2))
    def poll(self, lost: set[int]) -> None:
        self.world.poll([key(one) for one in lost])

    @rule(minutes=WAITS, how=CALLS, kill=KILLS, changes=CHANGES)
    def dispatch(self, minutes: int, how: list[str], kill: Kill, changes: list[tuple[int, str]]) -> None:
        """One pass of the service, some time after the last one."""
        world = self.world
        world.now += timedelta(minutes=minutes)
        first = len(world.provider.sends)
        world.sweep()
        world.plan()
        taken = world.taken()
        for name, what in changes:
            self._change(name, what)
        world.sent(taken, how, kill)
        world.check_sends(first)

    @rule(minutes=WAITS, how=CALLS)
    def dispatch_again(self, minutes: int, how: list[str]) -> None:
        """One pass in which nothing is killed and nothing changes."""
        self.dispatch(minutes, how, Kill.NEVER, [])

    @rule()
    def dispatch_without_the_source(self) -> None:
        first = len(self.world.provider.sends)
        self.world.plan()
        self.world.sent(self.world.taken(), source_away=True)
        assert len(self.world.provider.sends) == first

    @rule(how=CALLS, stalls=st.booleans(), late_first=st.booleans())
    def dispatch_twice_at_once(self, how: list[str], stalls: bool, late_first: bool) -> None:  # noqa: FBT001
        """Two daemons were started by mistake, and one of them may stall until its lease has ended."""
        first = len(self.world.provider.sends)
        self.world.plan()
        with opened(self.folder, self.world.clock) as other:
            other.execute("PRAGMA synchronous = OFF")
            taken = self.world.taken()
            if stalls:
                self.world.now += timedelta(minutes=3)
            self.world.sweep()
            again = self.world.taken(other, "b")
            if late_first:
                self.world.sent(taken, how)
            self.world.sent(again, how, db=other)
            if not late_first:
                self.world.sent(taken, how)
        self.world.check_sends(first)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule(number=st.integers(0, 20), delivery=st.sampled_from(Delivery), code=st.sampled_from(["131026", "131049"]))
    def report(self, number: int, delivery: Delivery, code: str) -> None:
        self.world.report(number, delivery, code)

    # --- citizens ----------------------------------------------------------------------------------------------------

    @rule(how=st.sampled_from(["done", "lost", "never"]), kill=KILLS, away=st.booleans())
    def cancel_due(self, how: str, kill: Kill, away: bool) -> None:  # noqa: FBT001
        self.world.sweep()
        before = {wanted: one.start for wanted, one in self.world.source.appointments.items()}
        count = len(self.world.source.cancelled)
        self.world.cancel_due(how, kill, source_away=away)
        for wanted in self.world.source.cancelled[count:]:
            assert (wanted, before[wanted]) in self.world.asked, "a cancellation of an hour that no citizen cancelled"

    @rule(minutes=st.sampled_from([1, 5, 11, 60, 300, 720]))
    def wait(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_doubled(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self._when_all_works_again()
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def _when_all_works_again(self) -> None:
        """Let everything work until all is past: each message has ended, and each citizen was reminded."""
        world = self.world
        with atomic(world.db):
            for channel in Channel:
                channels.put_circuit(world.db, channel, (0, None, False, ""))
        expected = [
            one
            for one in world.source.appointments.values()
            if one.status in EXPECTED
            and one.phone not in world.opted_out
            and (one.key, one.start) not in world.asked
            and any(step.due > world.now for step in schedule(one.start, one.zone, RULES))
        ]
        end = max((one.start for one in world.source.appointments.values()), default=world.now)
        end = max(end, world.now) + timedelta(hours=100)
        began = world.now
        while world.now < end:
            first = len(world.provider.sends)
            world.poll()
            world.plan()
            world.sweep()
            world.cancel_due()
            world.sent(world.taken())
            world.check_sends(first)
            world.check()
            for number in range(first, len(world.provider.sends)):
                world.report(number, Delivery.DELIVERED)
            world.now += timedelta(minutes=30)
            if world.now > began + 2 * HOUR:
                world.check_cancellations()
        world.check_all_ended()
        told = {(sent.what[1], sent.what[2]) for sent in world.provider.sends if sent.what[0] in {"reminder", "moved"}}
        for one in expected:
            assert (one.key.id, one.start.isoformat()) in told, "a citizen was not reminded"


TestReminders = Reminders.TestCase
TestReminders.settings = settings(
    max_examples=120,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
