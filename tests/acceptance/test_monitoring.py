"""Alert rules and dashboard: they parse, and use only metrics that the receiver emits."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.rigs.line_port import AN_OPEN_PORT
from vetlla.domain.onward import SinkState
from vetlla.receiver.counters import Counters, SpoolCounts
from vetlla.receiver.listeners.tls import EXPIRES_NOW, EXPIRES_SOON, Certificate, Use
from vetlla.receiver.monitoring.metrics import LIMITS, Gauges, exposition
from vetlla.receiver.sinks.sinks import SinkFigures
from vetlla.service.supervision.rules import Health

CONFIG = Path(__file__).parents[2] / "config"
RULES = CONFIG / "alerts" / "vetlla.rules.yaml"
DASHBOARD = CONFIG / "grafana" / "vetlla.json"

OF_PROMETHEUS = {"up": {"job": {"vetlla"}}}
"""Series that Prometheus itself makes for each scrape."""


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def _dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return document


def _questions() -> list[tuple[str, str]]:
    """Return every expression with its place, and with values for Grafana's variables."""
    found = [(f"alert {rule['alert']}", rule["expr"]) for rule in _rules()]
    for panel in _dashboard()["panels"]:
        found += [(f"panel {panel['title']}", target["expr"]) for target in panel.get("targets", [])]
    found += [("annotation", note["expr"]) for note in _dashboard()["annotations"]["list"]]
    return [(place, text.replace("$__rate_interval", "5m").replace("$instance", ".*")) for place, text in found]


def _emitted() -> dict[str, dict[str, set[str]]]:
    """Return every series that the receiver emits, with its labels and their values."""
    now = Gauges(
        ready=True,
        queue={},
        unattended={},
        oldest_waiting_s={},
        free_bytes=0,
        watermark_bytes=0,
        intake_waiting=0,
        accounts=0,
        accounts_on_test=0,
        alarms_on_test={},
        supervised=dict.fromkeys((health.word for health in Health), 0),
        incidents_open=0,
        limits_s=dict.fromkeys(LIMITS, 1.0),
        sinks=[SinkFigures("city", SinkState.WORKING, 0.0, 300.0, 0, 0, 0)],
        certificates=[
            Certificate("dc09", use, Path("chain.pem"), datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(1, UTC))
            for use in Use
        ],
        lines=[AN_OPEN_PORT],
    )
    counters = Counters(("dc09",))
    counters.brokers["mqtt"] = True
    counters.spools["pbx"] = SpoolCounts()
    text = exposition(counters, lambda: now)().decode()
    emitted: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call] # prometheus_client's
        for sample in family.samples:
            labels = emitted.setdefault(sample.name, {"job": {"vetlla"}, "instance": {"127.0.0.1:9109"}})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return emitted


@pytest.mark.parametrize(("place", "expression"), _questions())
def test_rules_and_dashboard_use_only_metrics_that_exist(place: str, expression: str) -> None:
    """Each metric, label and label value of an expression exists, because other rules would never fire."""
    emitted = _emitted() | OF_PROMETHEUS
    selectors: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            selectors.append(node.vector_selector)

    promql_parser.walk(promql_parser.parse(expression), visit)
    assert selectors
    for selector in selectors:
        assert selector.name in emitted, place
        labels = emitted[selector.name]
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels, f"{place}: {selector.name} has no label {matcher.name}"
            pattern = matcher.value if matcher.op == promql_parser.MatchOp.Re else re.escape(matcher.value)
            for alternative in pattern.split("|"):
                assert any(re.fullmatch(alternative, value) for value in labels[matcher.name]), f"{place}: {matcher}"


def test_alerts_and_doctor_agree_when_a_certificate_is_old() -> None:
    """The rules warn at the same number of days as ``vetlla doctor`` and ``vetlla check-config``."""
    expressions = {rule["alert"]: rule["expr"] for rule in _rules() if "certificate" in rule["expr"]}
    ends = "vetlla_certificate_not_after_seconds - time() <"
    assert expressions == {
        "VetllaCertificateExpires": f"{ends} {EXPIRES_SOON.days} * 86400",
        "VetllaCertificateExpiresNow": f"{ends} {EXPIRES_NOW.days} * 86400",
    }


def test_every_alert_says_what_to_do() -> None:
    """Each alert has its own name, a severity to act on, a summary and an action."""
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]


def test_dashboard_can_be_imported() -> None:
    """Panels have unique ids, do not overlap, and take their data source from the variable."""
    dashboard = _dashboard()
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"
    assert {panel["title"] for panel in panels if panel["type"] == "row"} >= {"Readiness", "Queue", "Rejects", "Disk"}


def test_the_handbook_lists_every_metric_and_alert() -> None:
    """docs/operations.md names exactly the metrics and alerts that exist."""
    handbook = (CONFIG.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(vetlla_[a-z0-9_]+)`", handbook))
    of_histograms = re.compile(r"_(bucket|count|sum)$")
    assert listed == {of_histograms.sub("", name) for name in _emitted() if name.startswith("vetlla_")}
    assert set(re.findall(r"^\| `(Vetlla\w+)`", handbook, re.MULTILINE)) == {rule["alert"] for rule in _rules()}
