"""Where skips are refused, each one fails by its name and reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUITE = """
import pytest

def test_runs(): pass

def test_skips(): pytest.skip("needs Debian package strace")

@pytest.mark.skipif(True, reason="by mark")
def test_marked(): pass

@pytest.mark.xfail(strict=True)
def test_known(): assert False
"""


def _run(folder: Path, **environment: str) -> tuple[int, str]:
    without = " ".join(f"-p no:{plugin}" for plugin in ("cacheprovider", "xdist", "cov", "hypothesispytest"))
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = -q -p tests.conftest {without}\n")
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "test_whole_file.py").write_text('import pytest\npytest.skip("whole file", allow_module_level=True)\n')
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VETLLA_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--continue-on-collection-errors", str(folder)],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_skips_pass_on_a_developers_machine(tmp_path: Path) -> None:
    """Without the variable a skip is a skip."""
    status, text = _run(tmp_path)
    assert status == 0, text
    assert "1 passed, 3 skipped, 1 xfailed" in text


def test_skips_fail_where_they_are_refused(tmp_path: Path) -> None:
    """With it every skipped test and file fails and is named; an expected failure stays one."""
    status, text = _run(tmp_path, VETLLA_NO_SKIPS="1")
    assert status != 0
    for name, reason in (
        ("test_suite.py::test_skips", "needs Debian package strace"),
        ("test_suite.py::test_marked", "by mark"),
        ("test_whole_file.py", "whole file"),
    ):
        assert f"{name}: VETLLA_NO_SKIPS is set: Skipped: {reason}" in text
    assert "1 failed, 1 passed, 1 xfailed, 2 errors" in text


def test_ci_tells_what_make_told(tmp_path: Path) -> None:
    """``.ci/run`` ends with make's status and pytest's closing line, gives no input and asks for no skips."""
    tools = {
        "make": 'echo "no skips: $VETLLA_NO_SKIPS"; readlink /proc/self/fd/0; echo "1 failed in 2.0s"; exit 2',
        "strace": "exit 1",
        "systemd-analyze": "exit 1",
        "promtool": "exit 1",
        "mosquitto": "exit 1",
    }
    for name, script in tools.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [str(ROOT / ".ci" / "run")],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        input="not for make",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["no skips: 1", "/dev/null", *["1 failed in 2.0s"] * 2]
