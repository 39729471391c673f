"""Hooks of all tests: a skip is a failure on a machine that must offer everything, and no test changes the machine."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.rigs.loops import LOOPS
from tests.rigs.mockpost import running_mockpost

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Iterator, Mapping

NO_SKIPS = "VETLLA_NO_SKIPS"
"""Variable that makes a skip a failure (``.ci/run`` sets it), because a test that did not run proves nothing."""

MEDDLERS = (
    "apt", "apt-get", "dpkg", "pip", "pip3", "curl", "wget",
    "systemctl", "systemd-sysusers", "systemd-tmpfiles", "useradd", "groupadd",
)  # fmt: skip
"""Programs that install, fetch, or change things outside a test's own folder."""

COMPILED = Path(__file__).parents[1] / "var" / "compiled"
"""Folder of compiled modules, if the environment forbids them beside the sources.

The tests start some thousand programs, and each would otherwise compile the same modules.
"""

MEMORY = Path("/dev/shm")
"""Folder in memory, in which tests keep their files: there a sync takes no time, and tests wait for many thousands.

A killed process leaves the same files there as on a disk. Tests of disks that fail, stall or lose power bring them.
"""
ENOUGH_BYTES = 2 << 30
"""Free bytes of that folder, below which tests use the disk; most of this is for rows by the hundred thousand."""

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def _keep_compiled_modules() -> None:
    """Let this process and the programs that it starts keep what they compile, outside the tree of the sources."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        sys.dont_write_bytecode = False
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(COMPILED)


def _work_in_memory() -> None:
    """Let tests keep their temporary files in memory, unless the environment names a folder for them."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    room = os.statvfs(MEMORY)
    if room.f_bavail * room.f_frsize >= ENOUGH_BYTES and not room.f_flag & os.ST_NOEXEC:  # tests write programs too
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


_keep_compiled_modules()
_work_in_memory()


def _refused(report: _Report) -> _Report:
    # pytest reports an expected failure as a skip too, but it is not one.
    if os.environ.get(NO_SKIPS) and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {NO_SKIPS} is set: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one."""
    return _refused((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped file into a failed one."""
    return _refused((yield))


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the loops for a test that names its loops, and asyncio's own for all others."""
    marker = item.get_closest_marker("asyncio")
    return LOOPS if marker and "loop_factories" in marker.kwargs else {"asyncio": LOOPS["asyncio"]}


@pytest.fixture(scope="session", autouse=True)
def meddling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put stand-ins before the programs that would change the machine. Yield the file where they record their calls."""
    folder = tmp_path_factory.mktemp("meddlers")
    noted = folder / "noted"
    for name in MEDDLERS:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {noted}\nexit 97\n')
        (folder / name).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield noted


@pytest.fixture(autouse=True)
def _machine_is_left_alone(meddling: Path) -> Iterator[None]:
    yield
    if meddling.exists():
        calls = meddling.read_text()
        meddling.unlink()
        pytest.fail(f"a test must not change the machine: {calls}")


@pytest.fixture(scope="session")
def mockpost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an emulator of WhatsApp and Twilio that is not ours, and give its address."""
    with running_mockpost(tmp_path_factory.mktemp("mockpost")) as url:
        yield url
