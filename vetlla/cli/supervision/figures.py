"""Makes the rows of the supervision report: fields for a machine, columns for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.service.supervision.rules import Health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.supervision.report import Sums
    from vetlla.tasks.supervision.month import JudgedDay

KIND_COLUMNS = (
    "kind",
    "device_days",
    "not_supervised_days",
    "supervised_days",
    "partial_days",
    "checked",
    "breaches",
    "share",
    "expected",
    "received",
    "supervised_s",
    "unsupervised_s",
    "not_supervised",
    "partial_s",
)
DAY_COLUMNS = ("day", "recorded", *KIND_COLUMNS, "no_receiver_s")
DEVICE_COLUMNS = (
    "account",
    "receiver",
    "line",
    "device",
    "kind",
    "day",
    "interval_s",
    "allowed_misses",
    "supervised_s",
    "unsupervised_s",
    "expected",
    "received",
    "longest_silence_s",
    "not_supervised",
    "state",
    "verdict",
)


def kind_row(kind: str, sums: Sums) -> dict[str, Any]:
    """Return the sums of one kind of device in the order of ``KIND_COLUMNS``."""
    return {
        "kind": kind,
        "device_days": sums.device_days,
        "not_supervised_days": sums.device_days - sums.supervised,
        "supervised_days": sums.supervised,
        "partial_days": sums.partial,
        "checked": sums.checked,
        "breaches": sums.breaches,
        "share": sums.share,
        "expected": sums.expected_milli / 1000,
        "received": sums.received,
        "supervised_s": sums.supervised_s,
        "unsupervised_s": sums.unsupervised_s,
        "not_supervised": dict(sorted(sums.not_supervised.items())),
        "partial_s": dict(sorted(sums.partial_s.items())),
    }


def reason_rows(kind: str, sums: Sums) -> Iterator[dict[str, Any]]:
    """Yield why devices of a kind were not supervised: whole days, and hours of days with some supervision."""
    for why in sorted({*sums.not_supervised, *sums.partial_s}):
        yield {
            "kind": kind,
            "not_supervised": why,
            "whole_days": sums.not_supervised[why],
            "hours_of_other_days": f"{sums.partial_s[why] / 3600:.1f}",
        }


def device_row(judged: JudgedDay) -> dict[str, Any]:
    """Return a device's day in the order of ``DEVICE_COLUMNS``."""
    one, found, name = judged.of, judged.found, judged.name
    return {
        "account": name.account if name else "",
        "receiver": name.receiver if name else "",
        "line": name.line if name else "",
        "device": name.device if name else "",
        "kind": judged.kind,
        "day": judged.day,
        "interval_s": one.interval_s,
        "allowed_misses": one.allowed_misses,
        "supervised_s": one.supervised_s,
        "unsupervised_s": found.unsupervised_s,
        "expected": found.expected_milli / 1000,
        "received": one.received,
        "longest_silence_s": one.longest_s,
        "not_supervised": found.why,
        "state": Health(one.state).word,
        "verdict": found.verdict.value,
    }
