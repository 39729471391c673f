"""``vetlla month verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.duty_rows import KindsFile
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK, background_priority
from vetlla.cli.month.words import MonthArgument, Version
from vetlla.domain.month_findings import FindingKind, MonthFinding
from vetlla.tasks.duties.rules import read_rule_files
from vetlla.tasks.months import verifying
from vetlla.tasks.months.looking import closing, closings

if TYPE_CHECKING:
    from collections.abc import Sequence

DIFFERS: Final = 1
EXPLAINED: Final = 3
COLUMNS: Final = ("kind", "subject", "text")
Expect = Annotated[
    str, typer.Option("--expect", metavar="SEAL", help="A seal that a close printed: it must still be among them.")
]


def verify(
    month: MonthArgument,
    version: Version = None,
    expect: Expect = "",
    kinds: KindsFile = None,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compute a closed month again from its sources, as they were known when it was closed, and compare to the byte.

    It names each part of the record that was changed, then the figures that differ. A correction that was recorded
    later changes nothing, and other parameters do not either: the month keeps its own.

    Exit status: 0 nothing differs, 1 something was changed, 3 only what was erased or corrected since, as it may be,
    is missing.

    Example: vetlla month verify 2026-10
    """
    background_priority()
    kept = closing(state_dir, CLOCK, month, version)
    found: list[MonthFinding] = []
    if expect and expect.strip().lower() not in {one.seal for one in closings(state_dir, CLOCK)}:
        found.append(MonthFinding(FindingKind.KEPT, "seal", f"no closed month has the seal {expect}"))
    now = read_rule_files(kinds, parameters_file)
    with progress(f"computing {kept.label} again") as tell:
        found += verifying.verify(state_dir, CLOCK, kept, now, tell)
    with verdict(_status(found)):
        if as_json:
            for one in found:
                print_json({
                    "month": kept.label, "version": kept.version, "kind": one.kind.value, "subject": one.subject,
                    "text": one.text, "explained": one.is_explained,
                })  # fmt: skip
        else:
            rows = ({"kind": one.kind.value, "subject": one.subject, "text": one.text} for one in found)
            print_rows(rows, COLUMNS, as_json=False, title=f"{kept.label} version {kept.version}")
            console().print(_summary(found), soft_wrap=True)


def _status(found: Sequence[MonthFinding]) -> int:
    if any(one.is_fault for one in found):
        return DIFFERS
    return EXPLAINED if any(one.is_explained for one in found) else 0


def _summary(found: Sequence[MonthFinding]) -> str:
    match _status(found):
        case 0:
            return "All that was kept is intact, and computing it again gives the same bytes."
        case 1:
            return "The record or the closed month was changed after the close."
        case _:
            return "Only what was erased or corrected since is missing."
