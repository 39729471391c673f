"""What all kinds of sinks have: a name, a filter, and the bounds of its attempts."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vetlla.domain.signals import Kind, Priority
from vetlla.settings.section import NamedPriority, Seconds, Section, Wait, Word

WORDS_MAX = 1_000
"""Most labels or listeners that a filter names: a city has some hundred districts."""
Words: TypeAlias = Annotated[tuple[Word, ...], Field(max_length=WORDS_MAX)]


class CommonSink(Section):
    """One system to which stored signals are sent. An empty list in its filter leaves nothing out."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """Name of the sink in the journal, logs and metrics. Another name makes another sink, which begins at the end."""
    priorities: tuple[NamedPriority, ...] = tuple(Priority)
    """Priorities that are sent."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of events that are sent."""
    districts: Words = ()
    """Districts of the inventory; a signal is sent if its home is in one of them."""
    labels: Words = ()
    """Labels of accounts; a signal is sent if its account has one of them."""
    listeners: Words = ()
    """Listeners, brokers and ports of line receivers whose signals are sent."""
    on_test: bool = False
    """Whether signals of accounts on test are sent."""
    retry_max_s: Wait = 60
    """Longest pause between two attempts to reach the peer."""
    lag_max_s: Seconds = 300
    """Age of the oldest signal that was not sent, above which the receiver's monitoring warns."""
