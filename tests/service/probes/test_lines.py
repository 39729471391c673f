"""Lines of probes: what is written is read again, and what is broken gives a reason."""

from __future__ import annotations

import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.probes import REASON_MOST, Probe, ProbedPart, ProbeResult, SeenThrough
from vetlla.service.probes.lines import LINE_MOST, fields, is_name, probe_of

NAMES: Final = st.text(min_size=1, max_size=64).filter(is_name)
REASONS: Final = st.text(min_size=1, max_size=REASON_MOST).filter(str.isprintable)
PROBES: Final = st.builds(
    Probe,
    NAMES,
    NAMES,
    st.sampled_from(ProbedPart),
    st.integers(0, 4_000_000_000_000_000),
    st.integers(0, 3_600_000_000),
    st.sampled_from(ProbeResult),
    REASONS,
    st.sampled_from(SeenThrough),
    NAMES | st.just(""),
)
GOOD: Final = fields(
    Probe("m1", "dc09", ProbedPart.SYSTEM, 1_790_000_000_000_000, 12_345, ProbeResult.OK, "", SeenThrough.ACK)
)


@given(PROBES)
def test_a_line_carries_the_whole_probe(probe: Probe) -> None:
    """Nothing is rounded: the key of a probe has microseconds."""
    line = json.dumps(fields(probe)).encode()
    assert probe_of(line) == probe
    assert len(line) <= LINE_MOST


@given(PROBES, st.data())
def test_a_line_that_was_cut_gives_a_reason(probe: Probe, data: st.DataObject) -> None:
    """A machine that lost its power leaves half a line."""
    line = json.dumps(fields(probe)).encode()
    assert isinstance(probe_of(line[: data.draw(st.integers(0, len(line) - 1))]), str)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"machine": ""}, "machine"),
        ({"component": "a b"}, "component"),
        ({"part": "other"}, "part"),
        ({"started": "2026-11-30T10:00:00"}, "zone"),
        ({"started": "yesterday"}, "started"),
        ({"duration_us": -1}, "duration_us"),
        ({"duration_us": True}, "duration_us"),
        ({"duration_us": 1.5}, "duration_us"),
        ({"result": "good"}, "result"),
        ({"result": "failed"}, "reason is empty"),
        ({"reason": "a\u001bb"}, "reason"),
        ({"through": None}, "through"),
        ({"account": None}, "account"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, object], told: str) -> None:
    """A person can find the fault by the reason."""
    found = probe_of(json.dumps(GOOD | changed).encode())
    assert isinstance(found, str)
    assert told in found


@pytest.mark.parametrize("line", [b"", b"[]", b"\xff\xfe", b"[" * 4_000, b"x" * (LINE_MOST + 1), b"NaN"])
def test_bytes_that_are_no_object_are_put_aside(line: bytes) -> None:
    """No input raises."""
    assert isinstance(probe_of(line), str)
