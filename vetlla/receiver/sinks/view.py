"""Sinks as the control socket shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from vetlla.domain.clock import Instant
    from vetlla.domain.onward import KeptSink
    from vetlla.receiver.control.messages.sinks import FormerSink, SinkSheet
    from vetlla.receiver.sinks.sink import RunningSink


def sheet(sink: RunningSink, now: Instant) -> SinkSheet:
    """Return what is shown of a configured sink."""
    kept = sink.kept
    since = iso(kept.paused_us)
    return {
        "name": sink.name,
        "kind": sink.settings.kind,
        "address": sink.delivery.address,
        "state": sink.state,
        "why": sink.why,
        "remedy": sink.remedy,
        "blocked_on": sink.blocked_on,
        "position": kept.position,
        "waiting": sink.waiting,
        "lag_s": round(sink.lag_s(now), 3),
        "lag_max_s": sink.settings.lag_max_s,
        "delivered": sink.delivered,
        "failures": sink.failures,
        "pause": None if since is None else {"since": since, "operator": kept.paused_by, "reason": kept.reason},
        "replay": {"after": kept.replay_after, "upto": kept.replay_upto} if kept.replays else None,
    }


def former(kept: KeptSink) -> FormerSink:
    """Return what is shown of a sink that is no longer configured."""
    return {"name": kept.name, "position": kept.position, "moved": iso(kept.moved_us)}
