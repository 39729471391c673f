"""Drills in any protocol, small enough for a test."""

from __future__ import annotations

from typing import Any

from vetlla.simulator import drill
from vetlla.simulator.dialects.registry import DIALECTS
from vetlla.simulator.scenario import Scenario
from vetlla.simulator.weights import Mix

HANDHELD = sorted(DIALECTS.keys() - {"dc09"})
EVERYTHING = Mix(alarms=3, technical=1, tests=2, heartbeats=2)
UNANSWERED = {"minifinder": {"5", "D", "B"}, "watch3g": {"UD", "UD2"}}
"""The messages without an acknowledgement by protocol, after docs/protocols/."""
STORED_FORMS = {"minifinder": b"!B", "queclink": b"+BUFF:", "watch3g": b"UD2"}
BOUND_S = 30


def scenario(port: int, protocol: str, *, homes: int = 5, **options: Any) -> Scenario:  # noqa: ANN401 - any field of a scenario
    usual: dict[str, Any] = {"reports": 60, "mix": EVERYTHING, "timeout_s": 2.0}
    if "duration_s" in options:
        del usual["reports"]
    accounts = drill.homes(homes, DIALECTS[protocol])
    return Scenario(host="127.0.0.1", port=port, accounts=accounts, keys={}, protocol=protocol, **(usual | options))
