"""What happens on the telephone lines: homes call, each call becomes some messages, and all lines feed one queue."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.line_emulator.messages import Content, Home, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from bench.line_emulator.messages import Dialect

DRAWS_IN_A_HOME = 50
"""Tries to find a content of one home that no message of the run had."""
DRAWS = 200
"""Homes that are tried for it. After these the format has too few contents for the run."""
CANDIDATES = 5_000
"""Acknowledged messages that may come a second time. More would make the share of old ones larger and use memory."""
SERVICE_KINDS = frozenset({"caller-id", "two-way", "status", "system"})
"""Messages of the receiver itself: no home sends them a second time."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """How many messages there are, and of which kinds."""

    messages: int
    homes: int = 5_000
    first_account: int = 1_000
    account_digits: int = 4
    hex_share: float = 0.0
    """Share of the homes whose account has digits from B to F."""
    telephone_lines: int = 8
    sticky: bool = False
    """A home always comes on the same telephone line."""
    mix: Mapping[str, float] | None = None
    caller_id_share: float = 0.1
    """Share of the calls with a caller ID frame before the events."""
    two_way_share: float = 0.02
    """Share of the calls after whose events the line goes into speech."""
    interleave: bool = True
    """Messages of calls on several lines come mixed."""
    second_share: float = 0.0
    """Share of the calls that have the bytes of an earlier, acknowledged message."""
    second_by_time: bool = False
    """A second call follows its first after a pause without other messages, and not after other messages."""
    second_after_s: float = 15.0
    """Pause before a second call by time, in seconds after the acknowledgement."""
    second_between: int = 1
    """Fewest acknowledged messages between a call and its second call."""


class _Acknowledged(NamedTuple):
    message: Message
    after: int
    """How many messages the program had acknowledged then."""


class Calls:
    """The source of messages. Contents are unique in a run except for second calls and frames about a line."""

    def __init__(self, dialect: Dialect, plan: CallPlan, rng: Random) -> None:
        self._dialect = dialect
        self._plan = plan
        self._rng = rng
        self.homes = tuple(homes(plan, rng))
        mix = plan.mix or dialect.mix
        self._kinds, self._weights = tuple(mix), tuple(mix.values())
        self._lines: dict[int, deque[Message]] = {}
        self._used: set[int] = set()
        self._candidates: deque[_Acknowledged] = deque(maxlen=CANDIDATES)
        self._held: Message | None = None
        self._acknowledged = 0
        self._made = 0
        self._last: Content | None = None
        self.ahead = not plan.second_by_time
        """Whether a message may be asked for before the last one is acknowledged."""

    def next(self) -> Message | None:
        """Return the next message of the queue, or None when all were given."""
        if self._held is not None:
            held, self._held = self._held, None
            self._last = held.content
            return held
        line = self._line()
        if line is None:
            return None
        call = self._lines.get(line)
        if not call:
            call = self._lines[line] = self._call(line)
        if call[0].content == self._last:
            # Two calls with the same bytes and nothing between them cannot be told from a repetition.
            call = self._lines[line] = deque([*self._call(line), *call])
        message = call.popleft()
        if not call:
            del self._lines[line]
        self._last = message.content
        return message

    def acknowledged(self, message: Message, now: float) -> None:
        """Note that the receiver saw the acknowledgement of a message at ``now`` (monotonic, seconds)."""
        self._acknowledged += 1
        plan = self._plan
        if not plan.second_share or message.content.kind in SERVICE_KINDS:
            return
        if not plan.second_by_time:
            self._candidates.append(_Acknowledged(message, self._acknowledged))
        elif self._made < plan.messages and self._held is None and self._rng.random() < plan.second_share:
            self._held = self._again(message, now + plan.second_after_s)

    def line_of(self, home: Home) -> int:
        """Return the telephone line on which a home comes when each home has one."""
        return int(home.account, 16) % self._plan.telephone_lines + 1

    def _line(self) -> int | None:
        """Return a line on which a message waits or a new call comes."""
        if self._made >= self._plan.messages:
            return self._rng.choice(tuple(self._lines)) if self._lines else None
        if self._lines and not self._plan.interleave:
            return next(iter(self._lines))
        return self._rng.randint(1, self._plan.telephone_lines)

    def _message(self, content: Content, *, second_of: int | None = None, caller: str = "") -> Message:
        self._made += 1
        return Message(self._made, content, second_of, caller)

    def _again(self, message: Message, not_before: float = 0.0) -> Message:
        self._made += 1
        return Message(self._made, message.content, message.serial, "", not_before)

    def _call(self, line: int) -> deque[Message]:
        """Return the messages of one call: second calls have one, others as many as happened in the home."""
        rng, plan, dialect = self._rng, self._plan, self._dialect
        if (second := self._second()) is not None:
            return deque([second])
        kind = rng.choices(self._kinds, self._weights)[0]
        home, on, first = self._first(kind, line)
        if kind in SERVICE_KINDS:
            return deque([self._message(first)])
        call: deque[Message] = deque()
        number = ""
        if rng.random() < plan.caller_id_share:
            telephone = f"{rng.randrange(200, 1_000)}55501{rng.randrange(100):02}"
            if (content := dialect.caller_id(home, on, telephone)) is not None:
                call.append(self._message(content))
                number = telephone
        call.append(self._message(first, caller=number))
        for _ in range(rng.choice((0, 0, 0, 0, 1, 2))):
            if (later := self._unused(kind, home, on)) is not None:
                call.append(self._message(later, caller=number))
        if rng.random() < plan.two_way_share and (content := dialect.two_way(on)) is not None:
            call.append(self._message(content))
        return call

    def _first(self, kind: str, line: int) -> tuple[Home, int, Content]:
        """Return a home that has an unused content of a kind, the line on which it comes, and that content."""
        for _ in range(DRAWS):
            home = self._rng.choice(self.homes)
            on = self.line_of(home) if self._plan.sticky else line
            if (content := self._unused(kind, home, on)) is not None:
                return home, on, content
        raise ValueError(f"no unused content of kind {kind} is left: take more homes, or fewer messages of this kind")

    def _second(self) -> Message | None:
        if self._plan.second_by_time or not self._candidates or self._rng.random() >= self._plan.second_share:
            return None
        place = self._rng.randrange(len(self._candidates))
        candidate = self._candidates[place]
        if self._acknowledged - candidate.after < self._plan.second_between:
            return None
        # Its acknowledgement makes it a candidate again. Until then there is no third message with these bytes.
        del self._candidates[place]
        return self._again(candidate.message)

    def _unused(self, kind: str, home: Home, line: int) -> Content | None:
        for _ in range(DRAWS_IN_A_HOME):
            content = self._dialect.event(kind, home, line, self._rng)
            marks = [hash(one.plain()) for one in content.found]
            # A High Speed message has few channels, so that only the whole of it can be unique.
            new = [hash(tuple(marks))] if kind == "high-speed" else marks
            if len(set(new)) == len(new) and self._used.isdisjoint(new):
                self._used.update(new)
                return content
        return None


def homes(plan: CallPlan, rng: Random) -> Iterator[Home]:
    """Yield the homes of a run, with accounts that differ."""
    decimal = (f"{plan.first_account + place:0{plan.account_digits}}" for place in range(plan.homes))
    seen: set[str] = set()
    for account in decimal:
        taken = account
        if rng.random() < plan.hex_share:
            while taken in seen or taken.isdigit():
                taken = "".join(rng.choice("0123456789BCDEF") for _ in range(plan.account_digits))
        seen.add(taken)
        yield Home(taken)
