"""If skips are refused, each one fails with its name and reason. No test changes the machine that it runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SUITE = """
import pytest

def test_runs(): pass

def test_skips(): pytest.skip("needs Debian package strace")

@pytest.mark.skipif(True, reason="by mark")
def test_marked(): pass

@pytest.mark.xfail(strict=True)
def test_known(): assert False
"""


def _run(folder: Path, suite: str = SUITE, **environment: str) -> tuple[int, str]:
    without = " ".join(f"-p no:{plugin}" for plugin in ("cacheprovider", "xdist", "cov", "hypothesispytest"))
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = -q -p tests.conftest {without}\n")
    (folder / "test_suite.py").write_text(suite)
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
    """Without the variable a skip is not a failure."""
    status, text = _run(tmp_path)
    assert status == 0, text
    assert "1 passed, 3 skipped, 1 xfailed" in text


def test_skips_fail_where_they_are_refused(tmp_path: Path) -> None:
    """With the variable every skipped test and file fails with its name. An expected failure stays one."""
    status, text = _run(tmp_path, VETLLA_NO_SKIPS="1")
    assert status != 0
    for name, reason in (
        ("test_suite.py::test_skips", "needs Debian package strace"),
        ("test_suite.py::test_marked", "by mark"),
        ("test_whole_file.py", "whole file"),
    ):
        assert f"{name}: VETLLA_NO_SKIPS is set: Skipped: {reason}" in text
    assert "1 failed, 1 passed, 1 xfailed, 2 errors" in text


# --- .ci/run, with only a shell's own tools of this machine -----------------------------------------------------------

SHELL_TOOLS = ("bash", "cat", "dirname", "grep", "mktemp", "readlink", "rm", "sh", "tail", "tee")
NEEDED = {
    "strace": "strace",
    "systemd-analyze": "systemd",
    "promtool": "prometheus",
    "soffice": "libreoffice-calc-nogui",
    "mosquitto": "mosquitto",
    "bearerbox": "kannel",
    "fakesmsc": "kannel-extras",
    "kamailio": "kamailio-tls-modules",
    "qpdf": "qpdf",
    "pdfinfo": "poppler-utils",
    "socat": "socat",
    "faketime": "faketime",
    "xmlsec1": "xmlsec1",
    "xmllint": "libxml2-utils",
    "sipp": "sip-tester",
}
"""Programs that tests run, and their Debian packages."""
MAKE = 'echo "no skips: $VETLLA_NO_SKIPS"; readlink /proc/self/fd/0; echo "1 failed in 2.0s"; exit 2'
TOLD = ["no skips: 1", "/dev/null", *["1 failed in 2.0s"] * 2]


def _ci(folder: Path, programs: Iterable[str]) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run ``.ci/run`` with only these programs installed. Return its result and its calls of apt-get."""
    asked = folder / "asked"
    for name in SHELL_TOOLS:
        (folder / name).symlink_to(shutil.which(name) or name)
    scripts = dict.fromkeys(programs, "exit 1") | {"make": MAKE, "apt-get": f'echo "$@" >> {asked}'}
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [str(ROOT / ".ci" / "run")],
        env={"PATH": str(folder), "TMPDIR": str(folder)},
        input="not for make",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, asked.read_text().splitlines() if asked.exists() else []


def test_ci_ends_with_the_status_of_make(tmp_path: Path) -> None:
    """``.ci/run`` ends with make's status and pytest's last line, gives no input and forbids skips."""
    done, asked = _ci(tmp_path, NEEDED)
    assert done.returncode == 2
    assert done.stdout.splitlines() == TOLD
    assert asked == []


def test_ci_installs_what_tests_need(tmp_path: Path) -> None:
    """``.ci/run`` as root installs exactly the missing packages. For other users it prints the command for root."""
    done, asked = _ci(tmp_path, {"strace", "systemd-analyze"})
    missing = [NEEDED[name] for name in ("promtool", "soffice")]
    sbin, kannel = Path("/usr/sbin"), Path("/usr/lib/kannel/test")
    elsewhere = {"mosquitto": sbin, "bearerbox": sbin, "fakesmsc": kannel, "kamailio": sbin}
    missing += [NEEDED[name] for name, folder in elsewhere.items() if not (folder / name).exists()]
    missing += [NEEDED[name] for name in ("qpdf", "pdfinfo", "socat", "faketime", "xmlsec1", "xmllint", "sipp")]
    if os.geteuid() == 0:
        assert asked == ["update -qq", f"install -y -qq --no-install-recommends {' '.join(missing)}"]
    else:
        assert asked == []
        assert f"as root: apt-get install {' '.join(missing)}" in done.stderr
    assert done.stdout.splitlines() == TOLD


def test_packages_that_tests_need_are_the_same_everywhere() -> None:
    """The tests' reasons for skips, ``.ci/run`` and the README name the same packages."""
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files if file != Path(__file__))
    assert set(re.findall(r"needs Debian package ([a-z0-9.-]*[a-z0-9])", text)) <= set(NEEDED.values())
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    table = script.partition("<<'EOF'\n")[2].partition("EOF")[0]
    assert dict(line.split() for line in table.splitlines()) == NEEDED
    unbroken = README.replace("\\\n", "")
    (packages,) = re.findall(r"^apt-get install --no-install-recommends (.+)$", unbroken, re.MULTILINE)
    assert sorted(packages.split()) == sorted(NEEDED.values())


# --- the machine ------------------------------------------------------------------------------------------------------

MEDDLING = """
import subprocess

def test_installs(): assert subprocess.run(["apt-get", "install", "cowsay"]).returncode

def test_is_quiet(): pass
"""


def test_a_test_that_would_change_the_machine_fails(tmp_path: Path) -> None:
    """The test gets a stand-in instead of the program, and fails with a message that names the call."""
    status, text = _run(tmp_path, MEDDLING)
    assert status != 0
    assert "a test must not change the machine: apt-get install cowsay" in text
    assert "2 passed, 1 skipped, 1 error" in text
