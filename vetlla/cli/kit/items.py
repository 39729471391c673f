"""Returns a decoder's items as fields, for ``decode`` and for exports. The first keys are a contract."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, assert_never

from vetlla.domain.clock import iso
from vetlla.domain.signals import Flag, Hangup, Reject, Reply, Signal

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.signals import Item, Position
    from vetlla.store.journal.stored import Stored, StoredReject


def signal_fields(signal: Signal) -> dict[str, Any]:
    """Return a signal's fields: the contract's keys first, null for what was not reported, then all the rest."""
    return {
        "item": "signal",
        "protocol": signal.protocol,
        "account": signal.id.account,
        "event": {
            "kind": signal.event.kind.value,
            "phase": signal.event.phase.value,
            "code": signal.event.code,
            "system": signal.event.system,
        },
        "device": signal.device,
        "occurred_at": _iso(signal.occurred_at),
        "position": None if signal.position is None else _position(signal.position),
        "text": signal.text,
        "reason": None,
        "raw": signal.raw.hex(),
        "receiver": signal.id.receiver,
        "line": signal.id.line,
        "area": signal.area,
        "sequence": signal.sequence,
        "sent_at": _iso(signal.sent_at),
        "measurements": dict(signal.measurements),
        "details": dict(signal.details),
        "sealed_with": signal.sealed_with,
        "buffered": signal.buffered,
        "repeated": signal.repeated,
        "part": signal.part,
        "parts": signal.parts,
    }


def item_fields(item: Item, protocol: str) -> dict[str, Any]:
    """Return any item's fields: the contract's keys, null where they do not apply."""
    match item:
        case Signal():
            return signal_fields(item)
        case Reject():
            account = item.id.account if item.id is not None else None
            return _fields("reject", item.protocol, account=account, text=item.text, reason=item.reason, raw=item.raw)
        case Reply():
            return _fields("reply", protocol, raw=item.data)
        case Hangup():
            return _fields("hangup", protocol, text=item.text)
        case _:
            assert_never(item)


def stored_fields(stored: Stored) -> dict[str, Any]:
    """Return a stored signal's fields: what ``decode`` prints, then what the intake added, then the stamps."""
    return signal_fields(stored.signal) | {
        "id": stored.id,
        "home": stored.home,
        "priority": stored.priority.name,
        "alarm": stored.alarm,
        "unknown_account": Flag.UNKNOWN_ACCOUNT in stored.flags,
        "on_test": Flag.ON_TEST in stored.flags,
        "runaway": Flag.RUNAWAY in stored.flags,
        "duplicates": stored.duplicates,
        "listener": stored.listener,
        "transport": stored.transport,
        "peer": stored.peer,
        "established": iso(stored.established_us),
        "received": iso(stored.received_us),
        "committed": iso(stored.committed_us),
        "ready": iso(stored.ready_us),
        "answered": iso(stored.answered_us),
        "closed": iso(stored.closed_us),
        "t2_s": None if stored.t2_us is None else stored.t2_us / 1e6,
        "t3_s": None if stored.t3_us is None else stored.t3_us / 1e6,
    }


def stored_reject_fields(stored: StoredReject) -> dict[str, Any]:
    """Return a stored reject's fields: what ``decode`` prints, then where it came from and when."""
    return item_fields(stored.reject, stored.reject.protocol) | {
        "id": stored.id,
        "listener": stored.listener,
        "transport": stored.transport,
        "peer": stored.peer,
        "received": iso(stored.at_us),
    }


def _fields(
    item: str,
    protocol: str,
    *,
    account: str | None = None,
    text: str | None = None,
    reason: str | None = None,
    raw: bytes | None = None,
) -> dict[str, Any]:
    return {
        "item": item,
        "protocol": protocol,
        "account": account,
        "event": None,
        "device": None,
        "occurred_at": None,
        "position": None,
        "text": text,
        "reason": reason,
        "raw": None if raw is None else raw.hex(),
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "latitude": position.latitude,
        "longitude": position.longitude,
        "altitude_m": position.altitude_m,
        "accuracy_m": position.accuracy_m,
        "source": position.source,
        "at": _iso(position.at),
    }


def _iso(moment: datetime | None) -> str | None:
    """Return ``2026-11-21T22:33:01Z``, with a fraction only if the device sent one."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
