"""Each alert fires in its situation, in Prometheus' own rule engine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from vetlla.service.supervision.rules import Health

RULES = Path(__file__).parents[2] / "config" / "alerts" / "vetlla.rules.yaml"

HEALTHY = {
    'up{job="vetlla"}': "1x240",
    "vetlla_ready": "1x240",
    "vetlla_intake_waiting": "0x240",
    "vetlla_commit_seconds_count": "0+10x240",
    'vetlla_commit_seconds_bucket{le="0.001"}': "0+10x240",
    'vetlla_commit_seconds_bucket{le="1.0"}': "0+10x240",
    'vetlla_commit_seconds_bucket{le="+Inf"}': "0+10x240",
    "vetlla_store_failures_total": "0x240",
    'vetlla_signals_total{outcome="stored"}': "0+10x240",
    "vetlla_heartbeats_total": "0+100x240",
    'vetlla_connections_refused_total{why="peer"}': "0x240",
    'vetlla_mqtt_connected{broker="mqtt"}': "1x240",
    'vetlla_spool_reachable{spool="pbx"}': "1x240",
    'vetlla_spool_waiting_files{spool="pbx"}': "0x240",
    'vetlla_spool_stuck_files{spool="pbx"}': "0x240",
    'vetlla_spool_files_total{spool="pbx",outcome="taken"}': "0+1x240",
    'vetlla_spool_files_total{spool="pbx",outcome="quarantined"}': "0x240",
    'vetlla_mqtt_receipts_total{outcome="sent"}': "0+10x240",
    'vetlla_mqtt_receipts_total{outcome="unheard"}': "0x240",
    'process_start_time_seconds{job="vetlla"}': "1000x240",
    'process_open_fds{job="vetlla"}': "100x240",
    'process_max_fds{job="vetlla"}': "65536x240",
    "vetlla_free_bytes": "100000000000x240",
    "vetlla_watermark_bytes": "500000000x240",
    'vetlla_oldest_waiting_seconds{priority="life"}': "3x240",
    'vetlla_oldest_waiting_seconds{priority="routine"}': "900x240",
    'vetlla_limit_seconds{limit="t3_warn"}': "15x240",
    'vetlla_limit_seconds{limit="t3_max"}': "30x240",
    'vetlla_warnings_total{priority="life"}': "0x240",
    'vetlla_warnings_total{priority="technical"}': "0+1x240",
    'vetlla_escalations_total{priority="life",why="unanswered"}': "0x240",
    'vetlla_escalations_total{priority="life",why="hold_lapsed"}': "0x240",
    'vetlla_escalations_total{priority="technical",why="unanswered"}': "0x240",
    'vetlla_unattended_alarms{priority="life"}': "0x240",
    'vetlla_unattended_alarms{priority="technical"}': "1x240",
    'vetlla_t3_seconds_count{priority="life"}': "0+11x240",
    'vetlla_t3_seconds_count{priority="routine"}': "0+1000x240",
    'vetlla_t3_slow_total{priority="life"}': "0+1x240",
    'vetlla_t3_breaches_total{priority="life"}': "0x240",
    "vetlla_t2_breaches_total": "0x240",
    'vetlla_rejects_total{reason="undecryptable",caller="known"}': "0x240",
    'vetlla_rejects_total{reason="undecryptable",caller="unknown"}': "0x240",
    'vetlla_rejects_total{reason="plain_refused",caller="known"}': "0x240",
    'vetlla_rejects_total{reason="stale_time",caller="known"}': "0x240",
    'vetlla_rejects_total{reason="malformed",caller="unnamed"}': "0x240",
    'vetlla_reloads_total{outcome="refused"}': "0x240",
    "vetlla_removals_refused_total": "0x240",
    "vetlla_accounts": "80000x240",
    'vetlla_supervised{state="ok"}': "79000x240",
    'vetlla_supervised{state="late"}': "300x240",
    'vetlla_supervised{state="lost"}': "100x240",
    'vetlla_supervised{state="unknown"}': "600x240",
    'vetlla_supervised{state="not_supervised"}': "5000x240",
    "vetlla_incidents_open": "0x240",
    'vetlla_sink_lag_seconds{sink="city"}': "200x240",
    'vetlla_sink_lag_limit_seconds{sink="city"}': "300x240",
    'vetlla_sink_state{sink="city",state="working"}': "1x240",
    'vetlla_sink_state{sink="city",state="paused"}': "0x240",
    'vetlla_sink_state{sink="city",state="blocked"}': "0x240",
    'vetlla_certificate_not_after_seconds{listener="dc09",use="certificate"}': "100000000x240",
    'vetlla_certificate_not_after_seconds{listener="mqtt",use="ca"}': "100000000x240",
    "vetlla_emergencies_known": "1x240",
    'vetlla_emergencies_past_mark{mark="no_unit"}': "0x240",
    'vetlla_emergencies_past_mark{mark="share"}': "1x240",
    'vetlla_emergencies_past_mark{mark="warn"}': "0x240",
    'vetlla_emergencies_past_mark{mark="limit"}': "0x240",
}
"""One hour of a working receiver with a sample every 15 s, in promtool's notation."""

LATE = "x230 1+0x9"
"""No event for 57 minutes, then one counted event."""

SITUATIONS: dict[str, tuple[dict[str, str | None], set[str]]] = {
    "all is well": ({}, set()),
    "target down": ({'up{job="vetlla"}': "1x200 0x39"}, {"VetllaDown"}),
    "target gone": ({'up{job="vetlla"}': None}, {"VetllaDown"}),
    "not ready": ({"vetlla_ready": "1x200 0x39"}, {"VetllaNotReady"}),
    "one scrape not ready": ({"vetlla_ready": "1x239 0"}, set()),
    "writer hangs": (
        {"vetlla_intake_waiting": "0x225 50x14", "vetlla_commit_seconds_count": "0+10x225 2250x14"},
        {"VetllaNothingCommitted"},
    ),
    "nothing to commit": ({"vetlla_commit_seconds_count": "0x240"}, set()),
    "a commit failed": ({"vetlla_store_failures_total": "0" + LATE}, {"VetllaStoreFailing"}),
    "silence": (
        {'vetlla_signals_total{outcome="stored"}': "100x240", "vetlla_heartbeats_total": "100x240"},
        {"VetllaSilence"},
    ),
    "heartbeats alone": ({'vetlla_signals_total{outcome="stored"}': "100x240"}, set()),
    "restarting": (
        {'process_start_time_seconds{job="vetlla"}': "1000x200 2000x9 3000x9 4000x19"},
        {"VetllaRestarting"},
    ),
    "one restart": ({'process_start_time_seconds{job="vetlla"}': "1000x200 2000x39"}, set()),
    "peers turned away": (
        {'vetlla_connections_refused_total{why="peer"}': "0" + LATE},
        {"VetllaConnectionsRefused"},
    ),
    "broker lost": ({'vetlla_mqtt_connected{broker="mqtt"}': "1x200 0x39"}, {"VetllaBrokerLost"}),
    "line closed": ({'vetlla_line_open{line="sg-1"}': "1x200 0x39"}, {"VetllaLineClosed"}),
    "a line is opened again": ({'vetlla_line_open{line="sg-1"}': "1x239 0"}, set()),
    "line damaged": ({'vetlla_line_damaged_total{line="sg-1"}': "0x200 4x39"}, {"VetllaLineDamaged"}),
    "one damaged message": ({'vetlla_line_damaged_total{line="sg-1"}': "0x200 1x39"}, set()),
    "a broker restarts": ({'vetlla_mqtt_connected{broker="mqtt"}': "1x239 0"}, set()),
    "a receipt without a subscriber": (
        {'vetlla_mqtt_receipts_total{outcome="unheard"}': "0" + LATE},
        {"VetllaReceiptsUnheard"},
    ),
    "answers over SIP that no terminal confirms": (
        {'vetlla_sip_answers_total{outcome="unheard"}': "0" + LATE},
        {"VetllaSipAnswersUntold"},
    ),
    "a spool lost": ({'vetlla_spool_reachable{spool="pbx"}': "1x200 0x39"}, {"VetllaSpoolLost"}),
    "files wait": ({'vetlla_spool_waiting_files{spool="pbx"}': "0x200 2x39"}, {"VetllaSpoolWaiting"}),
    "files wait for a moment": ({'vetlla_spool_waiting_files{spool="pbx"}': "0x235 9 0x3"}, set()),
    "files cannot be moved": ({'vetlla_spool_stuck_files{spool="pbx"}': "0x200 1x39"}, {"VetllaSpoolStuck"}),
    "a file in quarantine": (
        {'vetlla_spool_files_total{spool="pbx",outcome="quarantined"}': "0" + LATE},
        {"VetllaSpoolQuarantine"},
    ),
    "descriptors": ({'process_open_fds{job="vetlla"}': "60000x240"}, {"VetllaDescriptorsLow"}),
    "disk low": ({"vetlla_free_bytes": "900000000x240"}, {"VetllaDiskLow"}),
    "disk fills": ({"vetlla_free_bytes": "100000000000-30000000x240"}, {"VetllaDiskFillsWithinADay"}),
    "slow disk": ({'vetlla_commit_seconds_bucket{le="0.001"}': "0x240"}, {"VetllaCommitsSlow"}),
    "life waits 20 s": ({'vetlla_oldest_waiting_seconds{priority="life"}': "20x240"}, {"VetllaLifeWaiting"}),
    "life waits 15 s": ({'vetlla_oldest_waiting_seconds{priority="life"}': "15x240"}, set()),
    "life waits 31 s": (
        {'vetlla_oldest_waiting_seconds{priority="life"}': "31x240"},
        {"VetllaLifeWaiting", "VetllaLifeUnanswered"},
    ),
    "life waits 20 s where 25 are allowed": (
        {
            'vetlla_oldest_waiting_seconds{priority="life"}': "20x240",
            'vetlla_limit_seconds{limit="t3_warn"}': "25x240",
        },
        set(),
    ),
    "warned": ({'vetlla_warnings_total{priority="life"}': "0" + LATE}, {"VetllaWarnings"}),
    "escalated": (
        {'vetlla_escalations_total{priority="life",why="hold_lapsed"}': "0" + LATE},
        {"VetllaEscalations"},
    ),
    "a battery is escalated": (
        {'vetlla_escalations_total{priority="technical",why="unanswered"}': "0" + LATE},
        {"VetllaTechnicalEscalations"},
    ),
    "a press on test": ({'vetlla_alarms_on_test{priority="life"}': "0x180 1x59"}, {"VetllaEmergencyOnTest"}),
    "an operator vanishes": ({'vetlla_unattended_alarms{priority="life"}': "0x200 1x39"}, {"VetllaAlarmUnattended"}),
    "an operator vanishes and is replaced": ({'vetlla_unattended_alarms{priority="life"}': "0x225 1x14"}, set()),
    "answers late": ({'vetlla_t3_slow_total{priority="life"}': "0+2x240"}, {"VetllaAnswersLate"}),
    "one answer beyond the limit": (
        {'vetlla_t3_breaches_total{priority="life"}': "0" + LATE},
        {"VetllaAnswerBeyondLimit"},
    ),
    "one communication beyond the limit": ({"vetlla_t2_breaches_total": "0" + LATE}, {"VetllaReadyBeyondLimit"}),
    "wrong key": (
        {'vetlla_rejects_total{reason="undecryptable",caller="known"}': "0" + LATE},
        {"VetllaUndecryptable"},
    ),
    "a stranger's cipher": ({'vetlla_rejects_total{reason="undecryptable",caller="unknown"}': "0" + LATE}, set()),
    "plain refused": (
        {'vetlla_rejects_total{reason="plain_refused",caller="known"}': "0" + LATE},
        {"VetllaPlainRefused"},
    ),
    "one wrong clock": ({'vetlla_rejects_total{reason="stale_time",caller="known"}': "0" + LATE}, set()),
    "rejects surge": (
        {'vetlla_rejects_total{reason="malformed",caller="unnamed"}': "0+5x240"},
        {"VetllaRejectsSurge"},
    ),
    "an operator's network fails": ({"vetlla_incidents_open": "0x200 1x39"}, {"VetllaIncidentOpen"}),
    "a handful flickers": ({"vetlla_incidents_open": "0x238 1x1"}, set()),
    "one in fifty is lost": ({'vetlla_supervised{state="lost"}': "1650x240"}, {"VetllaDevicesLost"}),
    "no device is supervised": (
        {f'vetlla_supervised{{state="{state}"}}': "0x240" for state in ("ok", "late", "lost", "unknown")},
        {"VetllaNobodySupervised"},
    ),
    "no account is registered": (
        {"vetlla_accounts": "0x240", **{f'vetlla_supervised{{state="{health.word}"}}': "0x240" for health in Health}},
        set(),
    ),
    "a certificate with eleven days left": (
        {'vetlla_certificate_not_after_seconds{listener="dc09",use="certificate"}': "1000000x240"},
        {"VetllaCertificateExpires"},
    ),
    "a certificate that has expired": (
        {'vetlla_certificate_not_after_seconds{listener="dc09",use="certificate"}': "60x240"},
        {"VetllaCertificateExpires", "VetllaCertificateExpiresNow"},
    ),
    "a certificate that is renewed in time": (
        {'vetlla_certificate_not_after_seconds{listener="dc09",use="certificate"}': "1200000x200 9000000x39"},
        set(),
    ),
    "signals changed by hand": ({"vetlla_removals_refused_total": "0" + LATE}, {"VetllaRemovalRefused"}),
    "a sink is late": ({'vetlla_sink_lag_seconds{sink="city"}': "0x200 400x39"}, {"VetllaSinkLate"}),
    "a sink is late for a moment": ({'vetlla_sink_lag_seconds{sink="city"}': "0x238 400x1"}, set()),
    "a sink is blocked": ({'vetlla_sink_state{sink="city",state="blocked"}': "0x200 1x39"}, {"VetllaSinkBlocked"}),
    "a sink is paused for an hour": (
        {
            'vetlla_sink_lag_seconds{sink="city"}': "0+15x240",
            'vetlla_sink_state{sink="city",state="paused"}': "1x240",
        },
        set(),
    ),
    "a sink is paused for a day": (
        {
            'vetlla_sink_lag_seconds{sink="city"}': "90000x240",
            'vetlla_sink_state{sink="city",state="paused"}': "1x240",
        },
        {"VetllaSinkPaused"},
    ),
    "an emergency without a unit": (
        {'vetlla_emergencies_past_mark{mark="no_unit"}': "0x238 1x1"},
        {"VetllaEmergencyWithoutUnit"},
    ),
    "a limit is near": ({'vetlla_emergencies_past_mark{mark="warn"}': "0x238 1x1"}, {"VetllaEmergencyLimitNear"}),
    "a limit has passed": (
        {f'vetlla_emergencies_past_mark{{mark="{mark}"}}': "0x238 1x1" for mark in ("warn", "limit")},
        {"VetllaEmergencyBeyondLimit"},
    ),
    "the registry cannot be read": ({"vetlla_emergencies_known": "1x200 0x39"}, {"VetllaEmergenciesUnknown"}),
    "the registry is locked for a minute": ({"vetlla_emergencies_known": "1x235 0x4"}, set()),
    "bad configuration": ({'vetlla_reloads_total{outcome="refused"}': "0" + LATE}, {"VetllaReloadRefused"}),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_alert_fires_in_its_situation(situation: str, tmp_path: Path) -> None:
    """An hour of series in Prometheus' own rule engine raises exactly the alerts of that situation."""
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("needs Debian package prometheus")
    changes, expected = SITUATIONS[situation]
    script = {
        "rule_files": [str(RULES)],
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": _with_instance(series), "values": values}
                    for series, values in (HEALTHY | changes).items()
                    if values is not None
                ],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "60m",
                        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected],
                    }
                ],
            }
        ],
        "evaluation_interval": "30s",
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(script), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_situation() -> None:
    """Every rule has a situation that makes it fire."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    assert alerts == set().union(*(fires for _, fires in SITUATIONS.values()))


def _with_instance(series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{instance="127.0.0.1:9109",{labels or "}"}'
