"""Drills in any protocol, small enough for a test, in this process or as a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.rigs.daemon import vetlla
from vetlla.simulator import drill
from vetlla.simulator.dialects.registry import DIALECTS
from vetlla.simulator.scenario import Scenario
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from tests.rigs.daemon import Daemon

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


def simulated(daemon: Daemon, *options: str, status: int = 0) -> dict[str, Any]:
    """Run ``vetlla simulate dial`` against a receiver; return its report."""
    done = vetlla("simulate", "dial", "--json", *options, state_dir=daemon.state_dir)
    assert done.returncode == status, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
