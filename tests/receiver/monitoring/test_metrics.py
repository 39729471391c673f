"""Every count reaches Prometheus under its name, and no label can grow with the number of homes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.rigs.line_port import AN_OPEN_PORT
from vetlla import __version__
from vetlla.domain.alarms import Cause, State
from vetlla.domain.emergencies import EmergencyType
from vetlla.domain.onward import SinkState
from vetlla.domain.removal import What
from vetlla.domain.signals import Priority, Reason, VerdictOutcome
from vetlla.receiver.counters import CallerKind, Counters, Histogram, Receipt, Refusal, SpoolCounts, SpoolOutcome, Told
from vetlla.receiver.listeners.tls import Certificate, Use
from vetlla.receiver.monitoring.emergencies import MARKS, EmergencyFigures
from vetlla.receiver.monitoring.metrics import LIMITS, Gauges, exposition
from vetlla.receiver.sinks.sinks import SinkFigures
from vetlla.service.supervision.rules import Health

PROTOCOLS = ("dc09", "other")

ENDS = datetime(2027, 1, 1, tzinfo=UTC)
GAUGES = Gauges(
    ready=True,
    queue={(State.WAITING, Priority.LIFE): 2, (State.CLAIMED, Priority.TECHNICAL): 1},
    oldest_waiting_s={Priority.LIFE: 12.5},
    free_bytes=10_000_000_000,
    watermark_bytes=1_000_000_000,
    intake_waiting=7,
    accounts=70_000,
    accounts_on_test=3,
    alarms_on_test={Priority.LIFE: 2},
    supervised={"ok": 69_000, "late": 20, "lost": 5, "unknown": 7, "not_supervised": 968},
    incidents_open=2,
    sinks=(SinkFigures("city", SinkState.BLOCKED, 12.5, 300.0, 7, 40, 3),),
    unattended={Priority.LIFE: 1},
    limits_s={"t2_max": 20, "t3_warn": 15, "t3_max": 30, "hold": 300},
    certificates=[
        Certificate("dc09", Use.CERTIFICATE, Path("chain.pem"), datetime(2026, 1, 1, tzinfo=UTC), ENDS),
    ],
    lines=[AN_OPEN_PORT],
    emergencies=EmergencyFigures(
        is_known=True,
        open={EmergencyType.I: 2, EmergencyType.II: 1},
        without_unit=1,
        oldest_s={EmergencyType.I: 1_900.5},
        past_mark={"share": 1, "no_unit": 1},
    ),
)

CLOSED_LABELS: dict[str, set[str]] = {
    "protocol": set(PROTOCOLS),
    "outcome": {*VerdictOutcome, *Receipt, *SpoolOutcome, *Told, "taken", "refused", "unread"},
    "reason": set(Reason),
    "caller": set(CallerKind),
    "why": {*Refusal, *Cause},
    "limit": set(LIMITS),
    "broker": {"mqtt"},
    "spool": {"pbx"},
    "state": {*State, *(health.word for health in Health), *SinkState},
    "sink": {"city"},
    "priority": {priority.name.lower() for priority in Priority},
    "version": {__version__},
    "listener": {"dc09"},
    "line": {"sg"},
    "use": set(Use),
    "what": set(What),
    "type": set(EmergencyType),
    "mark": set(MARKS),
}
"""Every label, with every value that it can have."""


def _samples(counters: Counters, gauges: Gauges = GAUGES) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = exposition(counters, lambda: gauges)().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call] # prometheus_client's
        for sample in family.samples
    }


def _full() -> Counters:
    counters = Counters(PROTOCOLS)
    counters.signals["dc09", VerdictOutcome.STORED] += 3
    counters.signals["dc09", VerdictOutcome.DUPLICATE] += 1
    counters.rejects["dc09", Reason.UNDECRYPTABLE, CallerKind.KNOWN] += 2
    counters.replies["dc09"] += 4
    counters.heartbeats["dc09"] += 5
    counters.connections_open = 6
    counters.connections_accepted += 7
    counters.connections_refused[Refusal.PEER] += 8
    counters.brokers["mqtt"] = True
    counters.receipts[Receipt.UNHEARD] += 9
    counters.sip_answers[Told.UNHEARD] += 4
    files = dict.fromkeys(SpoolOutcome, 0) | {SpoolOutcome.QUARANTINED: 2}
    counters.spools["pbx"] = SpoolCounts(files=files, waiting=3, stuck=4, reachable=True, last_us=1_796_100_000_500_000)
    counters.commit.observe(250)
    counters.commit.observe(251)
    counters.committed_signals += 3
    counters.store_failures += 1
    counters.answer.observe(30_000_000)
    counters.t2.observe(20_000_000)
    counters.t3[Priority.LIFE].observe(30_000_001)
    counters.t2_breaches += 2
    counters.t3_slow[Priority.LIFE] += 3
    counters.t3_breaches[Priority.LIFE] += 1
    counters.warnings[Priority.HOME_RISK] += 5
    counters.escalations[Priority.LIFE, Cause.HOLD_LAPSED] += 1
    counters.reloads_refused += 1
    counters.registry_unread += 4
    return counters


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("vetlla_build_info", {"version": __version__}, 1),
        ("vetlla_signals_total", {"protocol": "dc09", "outcome": "stored"}, 3),
        ("vetlla_signals_total", {"protocol": "dc09", "outcome": "duplicate"}, 1),
        ("vetlla_signals_total", {"protocol": "other", "outcome": "refused"}, 0),
        ("vetlla_rejects_total", {"protocol": "dc09", "reason": "undecryptable", "caller": "known"}, 2),
        ("vetlla_rejects_total", {"protocol": "dc09", "reason": "too_long", "caller": "unnamed"}, 0),
        ("vetlla_replies_total", {"protocol": "dc09"}, 4),
        ("vetlla_mqtt_connected", {"broker": "mqtt"}, 1),
        ("vetlla_line_open", {"line": "sg"}, 1),
        ("vetlla_emergencies_known", {}, 1),
        ("vetlla_emergencies_open", {"type": "I"}, 2),
        ("vetlla_emergencies_without_unit", {}, 1),
        ("vetlla_emergency_oldest_seconds", {"type": "I"}, 1900.5),
        ("vetlla_emergency_oldest_seconds", {"type": "II"}, 0),
        ("vetlla_emergencies_past_mark", {"mark": "share"}, 1),
        ("vetlla_emergencies_past_mark", {"mark": "limit"}, 0),
        ("vetlla_line_openings_total", {"line": "sg"}, 2),
        ("vetlla_line_frames_total", {"line": "sg"}, 11),
        ("vetlla_line_damaged_total", {"line": "sg"}, 3),
        ("vetlla_line_parity_suspected", {"line": "sg"}, 1),
        ("vetlla_mqtt_receipts_total", {"outcome": "unheard"}, 9),
        ("vetlla_mqtt_receipts_total", {"outcome": "sent"}, 0),
        ("vetlla_sip_answers_total", {"outcome": "unheard"}, 4),
        ("vetlla_sip_answers_total", {"outcome": "delivered"}, 0),
        ("vetlla_spool_reachable", {"spool": "pbx"}, 1),
        ("vetlla_spool_files_total", {"spool": "pbx", "outcome": "taken"}, 0),
        ("vetlla_spool_files_total", {"spool": "pbx", "outcome": "quarantined"}, 2),
        ("vetlla_spool_waiting_files", {"spool": "pbx"}, 3),
        ("vetlla_spool_stuck_files", {"spool": "pbx"}, 4),
        ("vetlla_spool_last_file_seconds", {"spool": "pbx"}, 1_796_100_000.5),
        ("vetlla_heartbeats_total", {"protocol": "dc09"}, 5),
        ("vetlla_connections_open", {}, 6),
        ("vetlla_connections_accepted_total", {}, 7),
        ("vetlla_connections_refused_total", {"why": "peer"}, 8),
        ("vetlla_connections_refused_total", {"why": "idle"}, 0),
        ("vetlla_commit_seconds_count", {}, 2),
        ("vetlla_commit_seconds_sum", {}, 0.000501),
        ("vetlla_commit_seconds_bucket", {"le": "0.0001"}, 0),
        ("vetlla_commit_seconds_bucket", {"le": "0.00025"}, 1),
        ("vetlla_commit_seconds_bucket", {"le": "0.0005"}, 2),
        ("vetlla_committed_signals_total", {}, 3),
        ("vetlla_store_failures_total", {}, 1),
        ("vetlla_answer_seconds_bucket", {"le": "20.0"}, 0),
        ("vetlla_answer_seconds_bucket", {"le": "+Inf"}, 1),
        ("vetlla_t2_seconds_bucket", {"le": "20.0"}, 1),
        ("vetlla_t3_seconds_bucket", {"le": "30.0", "priority": "life"}, 0),
        ("vetlla_t3_seconds_count", {"priority": "life"}, 1),
        ("vetlla_t3_seconds_count", {"priority": "routine"}, 0),
        ("vetlla_t2_breaches_total", {}, 2),
        ("vetlla_t3_slow_total", {"priority": "life"}, 3),
        ("vetlla_t3_breaches_total", {"priority": "life"}, 1),
        ("vetlla_t3_breaches_total", {"priority": "technical"}, 0),
        ("vetlla_warnings_total", {"priority": "home_risk"}, 5),
        ("vetlla_escalations_total", {"priority": "life", "why": "hold_lapsed"}, 1),
        ("vetlla_escalations_total", {"priority": "life", "why": "unanswered"}, 0),
        ("vetlla_unattended_alarms", {"priority": "life"}, 1),
        ("vetlla_unattended_alarms", {"priority": "technical"}, 0),
        ("vetlla_limit_seconds", {"limit": "hold"}, 300),
        ("vetlla_reloads_total", {"outcome": "taken"}, 0),
        ("vetlla_reloads_total", {"outcome": "refused"}, 1),
        ("vetlla_reloads_total", {"outcome": "unread"}, 4),
        ("vetlla_ready", {}, 1),
        ("vetlla_queue_alarms", {"state": "waiting", "priority": "life"}, 2),
        ("vetlla_queue_alarms", {"state": "answered", "priority": "life"}, 0),
        ("vetlla_oldest_waiting_seconds", {"priority": "life"}, 12.5),
        ("vetlla_oldest_waiting_seconds", {"priority": "technical"}, 0),
        ("vetlla_free_bytes", {}, 10_000_000_000),
        ("vetlla_watermark_bytes", {}, 1_000_000_000),
        ("vetlla_intake_waiting", {}, 7),
        ("vetlla_accounts", {}, 70_000),
        ("vetlla_accounts_on_test", {}, 3),
        ("vetlla_supervised", {"state": "ok"}, 69_000),
        ("vetlla_supervised", {"state": "lost"}, 5),
        ("vetlla_incidents_open", {}, 2),
        ("vetlla_sink_lag_seconds", {"sink": "city"}, 12.5),
        ("vetlla_sink_lag_limit_seconds", {"sink": "city"}, 300),
        ("vetlla_sink_waiting", {"sink": "city"}, 7),
        ("vetlla_sink_delivered_total", {"sink": "city"}, 40),
        ("vetlla_sink_failures_total", {"sink": "city"}, 3),
        ("vetlla_sink_state", {"sink": "city", "state": "blocked"}, 1),
        ("vetlla_sink_state", {"sink": "city", "state": "working"}, 0),
        ("vetlla_certificate_not_after_seconds", {"listener": "dc09", "use": "certificate"}, 1798761600),
    ],
)
def test_every_number_has_its_name(name: str, labels: dict[str, str], value: float) -> None:
    """Prometheus' own parser reads every count; a metric without a count is zero."""
    assert _samples(_full())[name, frozenset(labels.items())] == pytest.approx(value)


def test_labels_are_closed_sets() -> None:
    """No metric has an account or another growing label: each label's values are those of an enum or the registry."""
    for name, labels in _samples(_full()):
        for label, value in labels:
            if label == "le":
                continue
            assert value in CLOSED_LABELS[label], f"{name}: {label}={value}"


def test_number_of_series_depends_on_protocols_alone() -> None:
    """The number of series stays the same if the counts are a thousand times as high."""
    counters = Counters(PROTOCOLS)
    before = set(_samples(counters))
    for protocol in PROTOCOLS:
        for outcome in VerdictOutcome:
            counters.signals[protocol, outcome] += 1000
        for reason in Reason:
            for caller in CallerKind:
                counters.rejects[protocol, reason, caller] += 1000
    for why in Refusal:
        counters.connections_refused[why] += 1000
    assert set(_samples(counters)) == before
    assert sum(name.startswith("vetlla_") for name, _ in before) < 350


def test_process_reports_its_memory_and_descriptors() -> None:
    """The page also has the metrics of the process that show a leak."""
    names = {name for name, _ in _samples(Counters())}
    assert {"process_resident_memory_bytes", "process_open_fds", "process_max_fds"} <= names


def test_histogram_bounds_are_inclusive() -> None:
    """A duration equal to a bound is within it, because contractual limits are 'not above'."""
    histogram = Histogram((10, 20))
    for duration_us in (0, 10, 11, 20, 21):
        histogram.observe(duration_us)
    assert histogram.counts == [2, 2, 1]
    assert (histogram.count, histogram.sum_us) == (5, 62)
