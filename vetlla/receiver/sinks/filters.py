"""Decides which signals a sink sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.signals import Flag

if TYPE_CHECKING:
    from vetlla.domain.onward import Onward
    from vetlla.settings.sinks.model import Sink


class Filter:
    """The filter of one sink."""

    def __init__(self, settings: Sink) -> None:
        self._priorities = frozenset(settings.priorities)
        self._kinds = frozenset(settings.kinds)
        self._districts = frozenset(settings.districts)
        self._labels = frozenset(settings.labels)
        self._listeners = frozenset(settings.listeners)
        self._on_test = settings.on_test

    def wants(self, record: Onward) -> bool:
        """Return True if a signal is to be sent. A home that was erased says nothing any longer."""
        return (
            not record.is_erased
            and record.priority in self._priorities
            and (not self._kinds or record.signal.event.kind in self._kinds)
            and (not self._listeners or record.listener in self._listeners)
            and (not self._districts or record.district in self._districts)
            and (not self._labels or not self._labels.isdisjoint(record.labels))
            and (self._on_test or Flag.ON_TEST not in record.flags)
        )
