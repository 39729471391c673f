"""What all tests share: where the machine must offer everything, a skipped test is a failure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

NO_SKIPS = "VETLLA_NO_SKIPS"
"""Set where a skip is a failure (``.ci/run``): a test that did not run proves nothing."""

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def _refused(report: _Report) -> _Report:
    # An expected failure is reported as a skip too, and is none.
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
