"""The metrics page for Prometheus: the receiver's counters and its present state, as OpenMetrics 1.0.

The names are a contract with ``config/alerts`` and ``config/grafana``; a test compares all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from vetlla import __version__
from vetlla.domain.alarms import State
from vetlla.domain.clock import SECOND_US
from vetlla.domain.emergencies import EmergencyType
from vetlla.domain.onward import SinkState
from vetlla.domain.signals import Priority
from vetlla.receiver.monitoring.emergencies import MARKS, NOTHING_KNOWN, EmergencyFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from vetlla.receiver.control.messages.receiver import LinePortFacts
    from vetlla.receiver.counters import Counters, Histogram, Receipt, Refusal, Told
    from vetlla.receiver.listeners.tls import Certificate
    from vetlla.receiver.sinks.sinks import SinkFigures

_encode, CONTENT_TYPE = choose_encoder("application/openmetrics-text; version=1.0.0")

OPEN_STATES = (State.WAITING, State.CLAIMED, State.ANSWERED)
"""States of the alarms in the queue; closed alarms are history."""
LIMITS = ("t2_max", "t3_warn", "t3_max", "hold")
"""Settings of the queue, without their ``_s``, with which alert rules compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The daemon's state at the time of the request."""

    ready: bool
    queue: Mapping[tuple[State, Priority], int]
    """Open alarms without those of accounts on test; a missing key means 0."""
    unattended: Mapping[Priority, int]
    """Answered alarms whose operator let the hold time pass; a missing key means 0."""
    oldest_waiting_s: Mapping[Priority, float]
    """Age of the oldest waiting alarm since it was ready; a missing key means that no alarm waits: 0."""
    free_bytes: int
    """Free space on the state directory's file system, for this process."""
    watermark_bytes: int
    """Free space below which nothing new is answered."""
    intake_waiting: int
    """Frames that wait for their commit."""
    accounts: int
    accounts_on_test: int
    alarms_on_test: Mapping[Priority, int]
    """Open alarms of accounts on test; a missing key means 0."""
    supervised: Mapping[str, int]
    """Devices by state; every state is there."""
    incidents_open: int
    sinks: Sequence[SinkFigures]
    limits_s: Mapping[str, float]
    """Seconds by the names in ``LIMITS``; every name is there."""
    certificates: Sequence[Certificate]
    """Certificates in the TLS files that new connections use."""
    lines: Sequence[LinePortFacts] = ()
    """The ports of line receivers."""
    emergencies: EmergencyFigures = NOTHING_KNOWN
    """Emergencies in the street, as the registry had them at the last look."""


class Metrics(Collector):
    """Counters and gauges under their published names."""

    def __init__(self, counters: Counters, gauges: Callable[[], Gauges]) -> None:
        self._counters = counters
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family. Raises only what ``gauges`` raises."""
        yield InfoMetricFamily("vetlla_build", "Version of this receiver.", {"version": __version__})
        yield from self._traffic()
        yield from self._durations()
        now = self._gauges()
        yield from self._present(now)
        yield from _in_the_street(now.emergencies)
        yield from _onward(now.sinks)

    def _traffic(self) -> Iterator[Metric]:
        count = self._counters
        yield _counter("signals", "Reports by outcome.", ("protocol", "outcome"), count.signals.items())
        yield _counter(
            "rejects", "Bytes that were not a report.", ("protocol", "reason", "caller"), count.rejects.items()
        )
        yield _counter("replies", "Replies that promise nothing.", ("protocol",), _single(count.replies))
        yield _counter("heartbeats", "Supervision messages.", ("protocol",), _single(count.heartbeats))
        yield _counter("connections_accepted", "Connections accepted.", (), [((), count.connections_accepted)])
        yield _counter(
            "connections_refused", "Connections refused or ended.", ("why",), _single(count.connections_refused)
        )
        yield _counter("mqtt_receipts", "Receipts published to terminals.", ("outcome",), _single(count.receipts))
        yield _counter(
            "sip_answers", "Answers sent to terminals as SIP messages.", ("outcome",), _single(count.sip_answers)
        )
        files = [((name, what), number) for name, one in count.spools.items() for what, number in one.files.items()]
        yield _counter("spool_files", "Files of a spool by outcome.", ("spool", "outcome"), files)
        yield _counter("committed_signals", "Reports made durable.", (), [((), count.committed_signals)])
        yield _counter("store_failures", "Commits that failed.", (), [((), count.store_failures)])
        warnings = [((_label(p),), warned) for p, warned in count.warnings.items()]
        yield _counter("warnings", "Alarms not answered within t3_warn_s.", ("priority",), warnings)
        escalations = [((_label(p), cause), times) for (p, cause), times in count.escalations.items()]
        yield _counter("escalations", "Alarms put before a supervisor.", ("priority", "why"), escalations)
        reloads = [(("taken",), count.reloads), (("refused",), count.reloads_refused)]
        reloads.append((("unread",), count.registry_unread))
        yield _counter("reloads", "Configurations, or only accounts and keys, read again.", ("outcome",), reloads)

        removed = [((what.value,), rows) for what, rows in count.removed.items()]
        yield _counter("removed", "Rows removed or emptied because of their age.", ("what",), removed)
        text = "Ranges of signals not removed because they were changed."
        yield _counter("removals_refused", text, (), [((), count.removals_refused)])

    def _durations(self) -> Iterator[Metric]:
        count = self._counters
        yield _histogram("commit_seconds", "Time of one group commit.", (), [((), count.commit)])
        yield _histogram("answer_seconds", "From received to acknowledged.", (), [((), count.answer)])
        yield _histogram("t2_seconds", "From communication established to ready.", (), [((), count.t2)])
        yield _counter("t2_breaches", "Communications ready after t2_max_s.", (), [((), count.t2_breaches)])
        t3 = [((_label(priority),), histogram) for priority, histogram in count.t3.items()]
        yield _histogram("t3_seconds", "From ready to answered by an operator.", ("priority",), t3)
        slow = [((_label(priority),), times) for priority, times in count.t3_slow.items()]
        yield _counter("t3_slow", "Communications answered after t3_warn_s.", ("priority",), slow)
        breaches = [((_label(priority),), times) for priority, times in count.t3_breaches.items()]
        yield _counter("t3_breaches", "Communications answered after t3_max_s.", ("priority",), breaches)

    def _present(self, now: Gauges) -> Iterator[Metric]:
        yield _gauge("ready", "1: reports can be committed and are acknowledged.", (), [((), now.ready)])
        yield _gauge("connections_open", "Connections that are open now.", (), [((), self._counters.connections_open)])
        brokers = [((name,), connected) for name, connected in self._counters.brokers.items()]
        yield _gauge("mqtt_connected", "1: the MQTT broker is connected.", ("broker",), brokers)
        yield from _of_lines(now.lines)
        yield from self._spools()
        queue = [((state, _label(p)), now.queue.get((state, p), 0)) for state in OPEN_STATES for p in Priority]
        yield _gauge("queue_alarms", "Open alarms.", ("state", "priority"), queue)
        unattended = [((_label(p),), now.unattended.get(p, 0)) for p in Priority]
        yield _gauge("unattended_alarms", "Answered alarms past their hold time.", ("priority",), unattended)
        oldest = [((_label(p),), now.oldest_waiting_s.get(p, 0.0)) for p in Priority]
        yield _gauge("oldest_waiting_seconds", "Age of the oldest alarm that no operator holds.", ("priority",), oldest)
        yield _gauge("free_bytes", "Free space for the journal.", (), [((), now.free_bytes)])
        yield _gauge("watermark_bytes", "Mark below which nothing new is answered.", (), [((), now.watermark_bytes)])
        yield _gauge("intake_waiting", "Signals waiting for their commit.", (), [((), now.intake_waiting)])
        yield _gauge("accounts", "Accounts registered.", (), [((), now.accounts)])
        yield _gauge("accounts_on_test", "Accounts on test.", (), [((), now.accounts_on_test)])
        apart = [((_label(p),), now.alarms_on_test.get(p, 0)) for p in Priority]
        yield _gauge("alarms_on_test", "Open alarms of accounts on test.", ("priority",), apart)
        supervised = [((state,), count) for state, count in now.supervised.items()]
        yield _gauge("supervised", "Terminals and UCRs by state.", ("state",), supervised)
        ends = [((one.name, one.use), one.not_after.timestamp()) for one in now.certificates]
        text = "Unix time until which the TLS certificates in use are valid."
        yield _gauge("certificate_not_after_seconds", text, ("listener", "use"), ends)
        upto = [((what.value,), upto_us / SECOND_US) for what, upto_us in self._counters.removed_upto_us.items()]
        yield _gauge("removed_upto_seconds", "Unix time of the last row checked for its age.", ("what",), upto)
        yield _gauge("incidents_open", "Open incidents: losses of many at once.", (), [((), now.incidents_open)])
        limits = [((name,), now.limits_s[name]) for name in LIMITS]
        yield _gauge("limit_seconds", "Configured limits of the queue.", ("limit",), limits)

    def _spools(self) -> Iterator[Metric]:
        spools = [((name,), one) for name, one in self._counters.spools.items()]
        reachable = [(key, one.reachable) for key, one in spools]
        yield _gauge("spool_reachable", "1: the directory of the spool can be used.", ("spool",), reachable)
        waiting = [(key, one.waiting) for key, one in spools]
        yield _gauge("spool_waiting_files", "Files that are there and were not taken.", ("spool",), waiting)
        stuck = [(key, one.stuck) for key, one in spools]
        yield _gauge("spool_stuck_files", "Files that were taken and cannot be moved.", ("spool",), stuck)
        last = [(key, one.last_us / SECOND_US) for key, one in spools]
        yield _gauge("spool_last_file_seconds", "Unix time at which a file was taken last.", ("spool",), last)


def _in_the_street(now: EmergencyFigures) -> Iterator[Metric]:
    text = "1: the last look at the registry could read the emergencies."
    yield _gauge("emergencies_known", text, (), [((), now.is_known)])
    waiting = [((one.value,), now.open.get(one, 0)) for one in EmergencyType]
    yield _gauge("emergencies_open", "Emergencies that wait for a unit to get in.", ("type",), waiting)
    yield _gauge("emergencies_without_unit", "Those to which no unit goes.", (), [((), now.without_unit)])
    oldest = [((one.value,), now.oldest_s.get(one, 0.0)) for one in EmergencyType]
    text = "Age of the oldest one since its first communication."
    yield _gauge("emergency_oldest_seconds", text, ("type",), oldest)
    past = [((mark,), now.past_mark.get(mark, 0)) for mark in MARKS]
    yield _gauge("emergencies_past_mark", "Those that have passed a mark of their clock.", ("mark",), past)


def _onward(sinks: Sequence[SinkFigures]) -> Iterator[Metric]:
    lags = [((one.name,), one.lag_s) for one in sinks]
    text = "Age of the oldest stored signal that a sink has not sent."
    yield _gauge("sink_lag_seconds", text, ("sink",), lags)
    limits = [((one.name,), one.lag_max_s) for one in sinks]
    yield _gauge("sink_lag_limit_seconds", "Configured limit of that age.", ("sink",), limits)
    waiting = [((one.name,), one.waiting) for one in sinks]
    yield _gauge("sink_waiting", "Stored signals that a sink has not sent.", ("sink",), waiting)
    states = [((one.name, state.value), one.state is state) for one in sinks for state in SinkState]
    yield _gauge("sink_state", "1: the sink is in this state.", ("sink", "state"), states)
    delivered = [((one.name,), one.delivered) for one in sinks]
    yield _counter("sink_delivered", "Signals that the peer of a sink took.", ("sink",), delivered)
    failures = [((one.name,), one.failures) for one in sinks]
    yield _counter("sink_failures", "Attempts of a sink that failed.", ("sink",), failures)


def _of_lines(lines: Sequence[LinePortFacts]) -> Iterator[Metric]:
    def of(value: Callable[[LinePortFacts], int]) -> list[tuple[Sequence[str], int]]:
        return [((line["name"],), value(line)) for line in lines]

    yield _gauge("line_open", "1: the port of the line receiver is open.", ("line",), of(lambda line: line["open"]))
    text = "1: the line receiver seems to send a parity bit that the port does not expect."
    yield _gauge("line_parity_suspected", text, ("line",), of(lambda line: bool(line["parity"])))
    yield _counter("line_openings", "Times that the port was opened.", ("line",), of(lambda line: line["openings"]))
    yield _counter("line_frames", "Whole frames from the line receiver.", ("line",), of(lambda line: line["frames"]))
    text = "Times that bytes came which could not be read."
    yield _counter("line_damaged", text, ("line",), of(lambda line: line["damaged"]))


def exposition(counters: Counters, gauges: Callable[[], Gauges]) -> Callable[[], bytes]:
    """Return a function that renders all metrics, including those of the process (memory, descriptors, CPU)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(counters, gauges))
    ProcessCollector(registry=registry)

    def render() -> bytes:
        return _encode(registry)

    return render


def _counter(name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], int]]) -> Metric:
    family = CounterMetricFamily(f"vetlla_{name}", text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"vetlla_{name}", text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _histogram(
    name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], Histogram]]
) -> Metric:
    family = HistogramMetricFamily(f"vetlla_{name}", text, labels=labels)
    for key, histogram in values:
        bounds = [str(bound / 1_000_000) for bound in histogram.bounds_us]
        cumulated = accumulate(histogram.counts)
        family.add_metric(key, list(zip([*bounds, "+Inf"], cumulated, strict=True)), histogram.sum_us / 1_000_000)
    return family


def _single(
    values: Mapping[str, int] | Mapping[Refusal, int] | Mapping[Receipt, int] | Mapping[Told, int],
) -> Iterator[tuple[Sequence[str], int]]:
    for key, value in values.items():
        yield (key,), value


def _label(priority: Priority) -> str:
    return priority.name.lower()
