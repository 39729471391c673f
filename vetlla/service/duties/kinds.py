"""The kinds of duties, as a file describes them (``config/duties.toml``, which explains each key)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping  # noqa: TC003 - pydantic reads the types of the fields
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from vetlla.domain.errors import UsageError
from vetlla.domain.tomlmodel import validated

NAME: Final = r"[a-z][a-z0-9_]{0,31}"
Name: TypeAlias = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Subject(StrEnum):
    """What a duty is about."""

    HOME = "home"
    PERSON = "person"
    DEVICE = "device"
    ALARM = "alarm"
    KEY = "key"
    DOCUMENT = "document"
    SERVICE = "service"
    HOME_OR_SERVICE = "home or service"
    """A home, or the service as a whole: a complaint need not be about one home."""
    COMMUNICATION = "communication"
    """A call or an alarm, as ``call:ID`` or ``alarm:NUMBER``."""


THE_SERVICE: Final = "service"
"""The only subject of a duty that is about the service as a whole."""


COMMUNICATION: Final = re.compile(r"(call|alarm):\S+")
"""How the subject of a duty about a communication is written."""


class ClockKind(StrEnum):
    """How the clock of a kind runs."""

    LIMIT = "limit"
    """It ends a time after the duty was opened."""
    INTERVAL = "interval"
    """The duty is kept inside the promised interval."""
    DATE = "date"
    """The duty is kept before the end of the promised time."""
    NONE = "none"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stop(_Part):
    """What an event that stops the clock needs."""

    until: tuple[Name, ...] = Field(min_length=1)
    """Events that start the clock again."""
    only_if: str = Field(default="", alias="if")
    """Parameter that must be "yes"; empty if the clock always stops."""


class Worse(_Part):
    """What a breach is that exceeds the limit by far."""

    over: int = Field(gt=0)
    """Percent of the limit."""
    is_: Text = Field(alias="is")
    clause: Text


class DutyKind(_Part):
    """One kind of duty."""

    title: Text
    subject: Subject
    opens: Name
    events: tuple[Name, ...] = ()
    ends: tuple[Name, ...] = Field(min_length=1)
    cancels: tuple[Name, ...] = ()
    reopens: tuple[Name, ...] = ()
    """Events that undo an end, such as a document that the city returns: the duty may then end again."""
    judged: Mapping[Name, str] = {}
    promises: tuple[Name, ...] = ()
    clock: ClockKind
    limit: str = ""
    stops: Mapping[Name, Stop] = {}
    worse: Worse | None = None
    ans: int | None = Field(default=None, ge=1)
    clause: Text

    @property
    def all_events(self) -> tuple[str, ...]:
        """Every event that the kind knows, the opening first, and those that close or reopen a duty last."""
        return (self.opens, *self.events, *self._only_judged, *self.ends, *self.cancels, *self.reopens)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The order of events of one moment, so that it does not depend on the order of recording."""
        return {name: place for place, name in enumerate(self.all_events)}

    @property
    def _only_judged(self) -> tuple[str, ...]:
        named = {self.opens, *self.events, *self.ends, *self.cancels, *self.reopens}
        return tuple(name for name in self.judged if name not in named)

    @property
    def happens_once(self) -> frozenset[str]:
        """Events that a duty has at most once."""
        return frozenset({self.opens, *self.cancels, *(() if self.reopens else self.ends)})

    @model_validator(mode="after")
    def _agrees(self) -> DutyKind:
        needs_limit = self.clock in {ClockKind.LIMIT, ClockKind.INTERVAL}
        if needs_limit != bool(self.limit):
            raise ValueError(f"clock {self.clock} {'needs' if needs_limit else 'takes no'} limit")
        if (self.clock in {ClockKind.INTERVAL, ClockKind.DATE}) != (self.opens in self.promises):
            raise ValueError("the opening promises a time if the clock is interval or date, and only then")
        if self.stops and self.clock is not ClockKind.LIMIT:
            raise ValueError("only a clock with a limit can stop")
        if self.worse and self.clock is not ClockKind.LIMIT:
            raise ValueError("only a clock with a limit can be exceeded by a share of it")
        known = set(self.all_events)
        named = {*self.promises, *self.stops, *(name for stop in self.stops.values() for name in stop.until)}
        if unknown := sorted(named - known):
            raise ValueError(f"the kind has no event {unknown[0]}")
        if len(self.all_events) != len(known):
            raise ValueError("an event is named twice")
        return self


class DutyKinds:
    """All kinds by name."""

    def __init__(self, kinds: Mapping[str, DutyKind]) -> None:
        self._kinds = dict(kinds)

    def names(self) -> list[str]:
        """Return the names in the order of the file."""
        return list(self._kinds)

    def parameters(self) -> frozenset[str]:
        """Return the names of all parameters that decide about clocks: limits, what stops a clock, what judges."""
        kinds = self._kinds.values()
        limits = {kind.limit for kind in kinds}
        stops = {stop.only_if for kind in kinds for stop in kind.stops.values()}
        return frozenset({*limits, *stops, *(name for kind in kinds for name in kind.judged.values())} - {""})

    def chosen(self, names: Collection[str]) -> list[str]:
        """Return the kinds that were asked for, in the order of the file; all if none was. Raises UsageError."""
        for name in names:
            self.kind(name)  # an unknown name must not look like a kind without duties
        return [name for name in self._kinds if not names or name in names]

    def find(self, name: str) -> DutyKind | None:
        """Return the kind of a name; None if there is none."""
        return self._kinds.get(name)

    def kind(self, name: str) -> DutyKind:
        """Return the kind of a name. Raises UsageError if there is none."""
        found = self._kinds.get(name)
        if found is None:
            raise UsageError(f"there is no kind of duty {name!r}", remedy="vetlla duties kinds")
        return found


_FILE: Final = TypeAdapter(dict[Name, DutyKind])


def parse_kinds(document: Mapping[str, object], source: str) -> DutyKinds:
    """Return the kinds of a TOML document; ``source`` names the file in errors.

    Raises ConfigError with the table, the key and what is wrong with it.
    """
    remedy = "correct it; the installed duties.toml explains each key"
    found: dict[str, DutyKind] = validated(_FILE, document, source, remedy=remedy)
    return DutyKinds(found)
