"""Files of probes are taken in once, in any order; broken lines are put aside, and the rest of the file is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from vetlla.domain.clock import SECOND_US, ManualClock, to_us
from vetlla.domain.columns import Effect
from vetlla.domain.errors import UsageError
from vetlla.domain.probes import ComponentName, Probe, ProbedPart, ProbeResult, SeenThrough
from vetlla.service.probes.lines import LINE_MOST, fields
from vetlla.store.probes import queries
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.probes.imports import ImportedProbes, import_probes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CLOCK: Final = ManualClock(datetime(2026, 12, 1, tzinfo=UTC))
BEGIN_US: Final = to_us(datetime(2026, 11, 1, tzinfo=UTC))


def probe(second: int, machine: str = "m1", result: ProbeResult = ProbeResult.OK) -> Probe:
    """Return a probe that starts at a second of November."""
    reason = "" if result is ProbeResult.OK else "no answer in 5 s"
    through = SeenThrough.ACK if result is ProbeResult.OK else SeenThrough.NOTHING
    at_us = BEGIN_US + second * SECOND_US
    return Probe(machine, "dc09", ProbedPart.SYSTEM, at_us, 9_000, result, reason, through)


def write(file: Path, probes: Iterable[Probe], more: bytes = b"") -> Path:
    """Write a file of probes; return it."""
    file.write_bytes(b"".join(json.dumps(fields(one)).encode() + b"\n" for one in probes) + more)
    return file


def take(state: Path, *files: Path, dry_run: bool = False) -> ImportedProbes:
    """Import files."""
    return import_probes(state, CLOCK, files, "tester", dry_run=dry_run)


def known(state: Path) -> Sequence[Probe]:
    """Return all probes of the registry."""
    with snapshot(state, CLOCK) as connection:
        return list(queries.probes(connection, ComponentName(ProbedPart.SYSTEM, "dc09"), 0, 1 << 60))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state directory."""
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def test_what_was_imported_is_read_again_and_importing_it_again_adds_nothing(state: Path, tmp_path: Path) -> None:
    probes = [probe(at, result=list(ProbeResult)[at % 3]) for at in range(20)]
    file = write(tmp_path / "m1.ndjson", probes)
    assert take(state, file, dry_run=True).effects == {Effect.NEW: 20}
    assert known(state) == []
    assert take(state, file).effects == {Effect.NEW: 20}
    assert take(state, file).effects == {Effect.UNCHANGED: 20}
    assert known(state) == probes


def test_overlapping_files_of_several_machines_come_to_the_same_in_any_order(state: Path, tmp_path: Path) -> None:
    files = [
        write(tmp_path / "a", [probe(at) for at in range(10)]),
        write(tmp_path / "b", [probe(at) for at in range(5, 15)]),
        write(tmp_path / "c", [probe(at, "m2", ProbeResult.TIMEOUT) for at in range(8)]),
    ]
    results = []
    for place, order in enumerate(permutations(files)):
        folder = state / str(place)
        folder.mkdir()
        for file in order:
            take(folder, file)
        results.append(known(folder))
    assert all(one == results[0] for one in results)
    assert len(results[0]) == 23


def test_a_broken_line_is_put_aside_and_the_others_are_kept(state: Path, tmp_path: Path) -> None:
    half = json.dumps(fields(probe(3))).encode()[:70]
    long = b'{"machine": "' + b"x" * (3 * LINE_MOST) + b'"}'
    late = json.dumps(fields(probe(40 * 86_400))).encode()
    file = write(tmp_path / "m1.ndjson", [probe(1)], b"\n".join([half, long, b"", late, b""]))
    file.write_bytes(file.read_bytes() + json.dumps(fields(probe(2))).encode())
    done = take(state, file)
    assert [(one.number, one.reason.split(":")[0]) for one in done.aside] == [
        (2, "is not whole"),
        (3, f"has more than {LINE_MOST} bytes"),
        (5, "lies in the future"),
    ]
    assert len(done.aside[1].line) == LINE_MOST
    assert known(state) == [probe(1), probe(2)]


def test_a_line_that_contradicts_a_known_probe_is_put_aside(state: Path, tmp_path: Path) -> None:
    """A probe is never rewritten: a failed one cannot become ok by another import."""
    take(state, write(tmp_path / "first", [probe(1, result=ProbeResult.FAILED)]))
    done = take(state, write(tmp_path / "second", [probe(1)]))
    assert "differs" in done.aside[0].reason
    assert [one.result for one in known(state)] == [ProbeResult.FAILED]


def test_a_file_of_another_kind_is_counted_and_does_not_fill_the_memory(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_bytes(b"no probe\n" * 25)
    done = import_probes(state, CLOCK, [file], "tester", listed_most=10)
    assert (len(done.aside), done.aside_count) == (10, 25)


def test_a_file_without_an_end_is_refused(state: Path) -> None:
    with pytest.raises(UsageError, match="/dev/zero: has more than 1 MiB"):
        import_probes(state, CLOCK, [Path("/dev/zero")], "tester", file_most=1 << 20)


def test_a_file_that_is_not_there_is_named(state: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        take(state, tmp_path / "missing")
