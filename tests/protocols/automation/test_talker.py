"""The receiver's side of automation output: order, repetitions, absence, heartbeats, late answers."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vetlla.domain.errors import UsageError
from vetlla.protocols.automation.talker import LATE, Patience, Talker, Turn

ACK, NAK = b"\x06", b"\x15"
BEAT = b"1011           @    \x14"


class Told(NamedTuple):
    frame: bytes


A, B, C = (Told(b"5011 18%dE10100001\x14" % number) for number in (1111, 2222, 3333))


def connected(patience: Patience | None = None) -> Talker[Told]:
    talker: Talker[Told] = Talker(BEAT, patience)
    assert talker.connected(0.0) == Turn()
    return talker


def absent() -> Talker[Told]:
    """Return a talker whose computer did not answer A at 0, 4, 8 and 12 s."""
    talker = connected()
    talker.offer(A, 0.0)
    for at in (4.0, 8.0, 12.0):
        assert talker.tick(at) == Turn(A.frame)
    assert talker.tick(16.0) == Turn()
    assert talker.is_absent
    return talker


# --- one message after the other --------------------------------------------------------------------------------------


def test_one_message_is_outstanding() -> None:
    """The second message leaves with the ACK of the first, in the same turn."""
    talker = connected()
    assert talker.offer(A, 1.0) == Turn(A.frame)
    assert talker.offer(B, 1.5) == Turn()
    assert (talker.outstanding, talker.backlog) == (A, 2)
    assert talker.received(ACK, 2.0) == Turn(B.frame, A)
    assert talker.received(ACK, 2.1) == Turn(b"", B)
    assert (talker.outstanding, talker.backlog) == (None, 0)


def test_a_serial_port_that_is_opened_again_may_bring_a_late_answer() -> None:
    """Its ACK would count for the message that is sent next. A TCP connection brings no answer of an earlier one."""
    for is_new_stream in (False, True):
        talker = connected()
        talker.offer(A, 1.0)
        talker.disconnected()
        written = talker.connected(2.0, is_new_stream=is_new_stream).write
        assert written == (A.frame if is_new_stream else b"")
        if not is_new_stream:
            assert talker.received(ACK, 2.5) == Turn(A.frame)  # the late answer confirms nothing
        assert talker.received(ACK, 3.0) == Turn(b"", A)


def test_an_unanswered_message_is_sent_again() -> None:
    """Without an answer within 4 s the same frame leaves again; the clock says when."""
    talker = connected()
    talker.offer(A, 1.0)
    assert talker.wakes_at == 5.0
    assert talker.tick(4.9) == Turn()
    assert talker.tick(5.0) == Turn(A.frame)
    assert talker.wakes_at == 9.0
    assert talker.counts.repeated == 1


def test_a_refused_message_is_sent_again_at_once() -> None:
    """NAK counts as a try: after four of them the computer is absent, without a wait."""
    talker = connected()
    talker.offer(A, 0.0)
    for _ in range(3):
        assert talker.received(NAK, 0.1) == Turn(A.frame)
    assert talker.received(NAK, 0.1) == Turn()
    assert talker.is_absent
    assert (talker.counts.sent, talker.counts.refused, talker.counts.absences) == (4, 4, 1)


@pytest.mark.parametrize("answer", [b"\0\0\0\x05\x06", b"\x86", b"xx\x06\r\n"])
def test_an_answer_has_many_forms(answer: bytes) -> None:
    """A B32 header, an eighth bit of parity and other bytes around it do not hide an ACK."""
    talker = connected()
    talker.offer(A, 0.0)
    assert talker.received(answer, 0.1).done == A


@pytest.mark.parametrize("answer", [b"\0\0\0\x05\x15", b"\x95"])
def test_a_refusal_has_many_forms(answer: bytes) -> None:
    talker = connected()
    talker.offer(A, 0.0)
    assert talker.received(answer, 0.1) == Turn(A.frame)


def test_an_answer_may_come_in_pieces() -> None:
    talker = connected()
    talker.offer(A, 0.0)
    assert talker.received(b"\0\0", 0.1) == Turn()
    assert talker.received(b"\0\x05", 0.1) == Turn()
    assert talker.received(ACK, 0.1).done == A


def test_an_answer_that_no_message_waits_for_is_counted() -> None:
    """A second ACK in the same read was sent before the second message, and does not acknowledge it."""
    talker = connected()
    talker.offer(A, 0.0)
    talker.offer(B, 0.0)
    assert talker.received(ACK + ACK, 0.1) == Turn(B.frame, A)
    assert talker.outstanding == B
    assert talker.counts.strays == 1


# --- answers that come late -------------------------------------------------------------------------------------------


def test_a_late_answer_does_not_acknowledge_the_next_message() -> None:
    """After A was sent twice, B waits for the second answer to A, so that it cannot be taken for B's."""
    talker = connected()
    talker.offer(A, 0.0)
    talker.offer(B, 0.0)
    assert talker.tick(4.0) == Turn(A.frame)
    assert talker.received(ACK, 4.1) == Turn(b"", A)
    assert talker.received(ACK, 4.2) == Turn(B.frame)
    assert talker.received(ACK, 4.3) == Turn(b"", B)


def test_an_answer_that_was_lost_is_not_awaited_for_ever() -> None:
    """If the second answer does not come within twice the patience after its sending, B is sent."""
    talker = connected()
    talker.offer(A, 0.0)
    talker.offer(B, 0.0)
    talker.tick(4.0)
    assert talker.received(ACK, 4.1).done == A
    assert talker.wakes_at == 4.0 + LATE * 4.0
    assert talker.tick(11.9) == Turn()
    assert talker.tick(12.0) == Turn(B.frame)


def test_a_write_of_several_frames_is_settled_by_their_answers() -> None:
    """A sender that glues copies together says so, and the next message waits for all their answers."""
    talker = connected()
    talker.offer(A, 0.0)
    talker.expect(2)
    talker.offer(B, 0.0)
    assert talker.received(ACK, 0.1) == Turn(b"", A)
    assert talker.received(ACK, 0.2) == Turn()
    assert talker.received(ACK, 0.3) == Turn(B.frame)


def test_two_answers_in_one_read_settle_two_sendings() -> None:
    talker = connected()
    talker.offer(A, 0.0)
    talker.offer(B, 0.0)
    talker.tick(4.0)
    assert talker.received(NAK + ACK, 4.1) == Turn(B.frame, A)


def test_an_answer_after_a_stall_of_this_process_still_counts() -> None:
    """If the process slept through its own timer, the answer that waited in the socket is taken first."""
    talker = connected()
    talker.offer(A, 0.0)
    assert talker.received(ACK, 60.0).done == A


# --- absence ----------------------------------------------------------------------------------------------------------


def test_an_absent_computer_gets_only_heartbeats() -> None:
    """One heartbeat each 30 s, each sent once; no message, whatever is offered."""
    talker = absent()
    assert talker.offer(B, 17.0) == Turn()
    assert talker.wakes_at == 42.0
    for at in (42.0, 72.0, 102.0):
        assert talker.tick(at) == Turn(BEAT)
        assert talker.tick(at + 4.0) == Turn()
    assert talker.counts.absences == 1


def test_the_first_acknowledged_heartbeat_brings_the_pending_message() -> None:
    """The message that was pending leaves first, then the others, in their order."""
    talker = absent()
    talker.offer(B, 17.0)
    talker.tick(42.0)
    assert talker.received(ACK, 42.1) == Turn(A.frame)
    assert not talker.is_absent
    assert talker.received(ACK, 42.2) == Turn(B.frame, A)


def test_a_refused_heartbeat_ends_no_absence() -> None:
    talker = absent()
    talker.tick(42.0)
    assert talker.received(NAK, 42.1) == Turn()
    assert talker.is_absent


def test_a_late_answer_ends_no_absence() -> None:
    """The answer to the last sending, after the absence was declared, is no answer to a heartbeat."""
    talker = absent()
    assert talker.received(ACK, 17.0) == Turn()
    assert talker.is_absent


def test_a_message_may_fail_again_after_an_absence() -> None:
    """The tries begin again after an absence."""
    talker = absent()
    talker.tick(42.0)
    talker.received(ACK, 42.0)
    sent = [talker.tick(42.0 + 4 * times).write for times in range(1, 5)]
    assert sent == [A.frame, A.frame, A.frame, b""]
    assert talker.counts.absences == 2


# --- heartbeats -------------------------------------------------------------------------------------------------------


def test_silence_brings_a_heartbeat() -> None:
    """Any traffic puts the next heartbeat off; without an answer it is repeated, and the computer is absent."""
    talker = connected()
    assert talker.wakes_at == 30.0
    talker.offer(A, 20.0)
    talker.received(ACK, 20.5)
    assert talker.wakes_at == 50.5
    assert talker.tick(50.5) == Turn(BEAT)
    assert [talker.tick(50.5 + 4 * times).write for times in range(1, 5)] == [BEAT, BEAT, BEAT, b""]
    assert talker.is_absent


def test_a_message_waits_for_the_answer_to_a_heartbeat() -> None:
    talker = connected()
    talker.tick(30.0)
    assert talker.offer(A, 30.1) == Turn()
    assert talker.received(ACK, 30.2) == Turn(A.frame)


# --- connections ------------------------------------------------------------------------------------------------------


def test_an_unacknowledged_message_is_sent_again_on_the_next_connection() -> None:
    talker = connected()
    talker.offer(A, 0.0)
    talker.disconnected()
    assert (talker.wakes_at, talker.is_connected) == (None, False)
    assert talker.offer(B, 1.0) == Turn()
    assert talker.tick(9.0) == Turn()
    assert talker.received(ACK, 9.0) == Turn()
    assert talker.connected(10.0) == Turn(A.frame)
    assert talker.received(ACK, 10.1) == Turn(B.frame, A)


def test_a_connection_in_absence_begins_with_a_heartbeat() -> None:
    """The computer is asked at once, because it has just connected or was just reached."""
    talker = absent()
    talker.disconnected()
    assert talker.connected(20.0) == Turn(BEAT)
    assert talker.received(ACK, 20.1) == Turn(A.frame)


def test_what_is_dropped_is_returned_in_its_order() -> None:
    """A late answer to a dropped message acknowledges nothing."""
    talker = connected()
    talker.offer(A, 0.0)
    talker.offer(B, 0.0)
    assert talker.drop() == [A, B]
    assert talker.offer(C, 0.1) == Turn()
    assert talker.received(ACK, 0.2) == Turn(C.frame)


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("answer_s", 0), ("answer_s", 10.0), ("tries", 0), ("tries", 100), ("heartbeat_s", 0), ("heartbeat_s", 100)],
)
def test_times_have_bounds(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        Patience(**{name: value})  # type: ignore[arg-type]


# --- all of it at once ------------------------------------------------------------------------------------------------

QUICK = Patience(answer_s=4.0, tries=3, heartbeat_s=10.0)


class Computer(RuleBasedStateMachine):
    """A computer behind a line that loses, damages and delays. It stores what it acknowledges."""

    @initialize()
    def begin(self) -> None:
        self.now = 0.0
        self.talker: Talker[Told] = Talker(BEAT, QUICK)
        self.line: deque[tuple[bytes, float]] = deque()
        """Frames under way to the computer, each with the time of its sending."""
        self.answers: deque[tuple[bytes, float]] = deque()
        """Answers under way, each with the time after which it does not arrive any more."""
        self.told = 0
        self.done: list[Told] = []
        self.stored: list[bytes] = []
        self.connect()

    def take(self, turn: Turn[Told]) -> None:
        if turn.done is not None:
            assert turn.done.frame in self.stored, "a message is done that the computer has not stored"
            self.done.append(turn.done)
        if turn.write:
            assert self.talker.is_connected
            assert turn.write == BEAT or not self.talker.is_absent
            self.line.append((turn.write, self.now))

    @rule()
    def offer(self) -> None:
        self.told += 1
        self.take(self.talker.offer(Told(b"message %d\x14" % self.told), self.now))

    @precondition(lambda self: not self.talker.is_connected)
    @rule()
    def connect(self) -> None:
        self.line.clear()
        self.answers.clear()
        self.take(self.talker.connected(self.now))

    @precondition(lambda self: self.talker.is_connected)
    @rule()
    def cut(self) -> None:
        self.talker.disconnected()

    @rule(seconds=st.sampled_from([0.5, 3.0, 4.0, 4.0]))
    def wait(self, seconds: float) -> None:
        """Pass time; the timer is never late, and no answer is later than the patience allows."""
        until = self.now + seconds
        while (at := self.talker.wakes_at) is not None and at <= until:
            before = at
            self.now = max(self.now, at)
            self.take(self.talker.tick(self.now))
            assert self.talker.wakes_at is None or self.talker.wakes_at > before, "the timer does not move on"
        self.now = until
        while self.answers and self.answers[0][1] <= self.now:
            self.answers.popleft()

    @precondition(lambda self: self.line)
    @rule(answer=st.sampled_from([ACK, ACK, NAK, b""]))
    def read(self, answer: bytes) -> None:
        """Read a frame: store and acknowledge it, refuse it as damaged, or never get it."""
        frame, sent_at = self.line.popleft()
        if answer == ACK:
            self.stored.append(frame)
        if answer and self.now < sent_at + LATE * QUICK.answer_s:
            self.answers.append((answer, sent_at + LATE * QUICK.answer_s))

    @precondition(lambda self: self.answers)
    @rule(count=st.sampled_from([1, 1, 2, 3]))
    def deliver(self, count: int) -> None:
        """Let answers arrive, one or several in a read."""
        given = [self.answers.popleft()[0] for _ in range(min(count, len(self.answers)))]
        self.take(self.talker.received(b"".join(given), self.now))

    @precondition(lambda self: self.answers)
    @rule()
    def lose_answer(self) -> None:
        self.answers.popleft()

    @invariant()
    def messages_are_done_in_their_order(self) -> None:
        assert [told.frame for told in self.done] == [b"message %d\x14" % n for n in range(1, len(self.done) + 1)]
        assert self.talker.backlog == self.told - len(self.done)

    def teardown(self) -> None:
        """Let the computer come back: then everything is done within a bounded time."""
        if not hasattr(self, "talker"):
            return
        if self.talker.is_connected:
            self.cut()
        self.connect()
        for _ in range(20 * (self.told + 2)):
            while self.line:
                self.stored.append(self.line.popleft()[0])
                self.take(self.talker.received(ACK, self.now))
            if not self.talker.backlog:
                break
            self.wait(4.0)
        assert len(self.done) == self.told


TestComputer = Computer.TestCase
TestComputer.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
