"""What came of ``vetlla simulate``, for a person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from vetlla.simulator.events import Tell
    from vetlla.simulator.scenario import Scenario
    from vetlla.simulator.statistics import Counts, Fortunes, Report


def trouble(counts: Counts) -> str:
    """Return in a few words what goes wrong while it goes."""
    told = {"repeated": counts.repeated, "NAK": counts.nak, "refused": counts.refused, "lost": counts.lost}
    return "  ".join(f"{count:,} {name}" for name, count in told.items() if count)


def teller(screen: Console) -> Tell:
    """Return what tells a person what befalls the fleet, as it happens."""
    return partial(screen.print, soft_wrap=True)


def table(report: Report, scenario: Scenario) -> Table:
    """Return the result as a table: what was told, how fast, what was lost, how to repeat it."""
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(justify="right", style="bold")
    rows.add_column()
    load = "as fast as answers came" if scenario.rate is None else f"{scenario.rate:g}/s wanted"
    how = f"{scenario.protocol} over {scenario.transport}"
    rows.add_row(f"{report.told:,}", f"reports of {report.homes:,} homes in {report.seconds:.1f} s, {how}")
    rows.add_row(f"{report.acknowledged:,}", f"acknowledged: {report.per_second:,.0f}/s ({load})")
    for count, meaning in (*_rest(report), *befallen(report)):
        rows.add_row(f"{count:,}", meaning)
    if report.p50_us is not None:
        for name in ("p50", "p90", "p99", "max"):
            rows.add_row(f"{getattr(report, f'{name}_us') / 1000:.2f} ms", f"{name} from due to acknowledged")
    add_backlog(rows, report)
    rows.add_row(str(scenario.seed), "seed: --seed repeats what was said and what went wrong")
    rows.add_row(*("complete", _complete(report)) if report.complete else ("INCOMPLETE", "see above"))
    return rows


def befallen(counts: Fortunes | Report) -> Sequence[tuple[int, str]]:
    """Return what befell the fleet, as far as anything did."""
    told = (
        (counts.cut, "connections broken by the outage"),
        (counts.backlog, "became due while the home had no network"),
        (len(counts.silent), "homes fell silent, their connections standing"),
    )
    return [entry for entry in told if entry[0]]


def add_backlog(rows: Table, counts: Fortunes | Report) -> None:
    """Say how long it took until what an outage held up was told."""
    if counts.backlog_s is not None:
        rows.add_row(f"{counts.backlog_s:.1f} s", "from the first home's return to the last report of before")


def _complete(report: Report) -> str:
    return "every report was acknowledged" + (" that the protocol acknowledges" if report.sent else "")


def _rest(report: Report) -> list[tuple[int, str]]:
    """Return what happened besides acknowledgements, as far as it happened; losses are told in any case."""
    told = (
        (report.sent, "sent: the protocol has no acknowledgement for them, the receiver's machine took the bytes"),
        (report.refused, "refused (DUH)"),
        (report.repeated, "repeated"),
        (report.nak, "NAK: clock corrected"),
        (report.duplicated, f"sent on a second path too, {report.second_path:,} acknowledged there"),
        (report.malformed, "malformed answers"),
        (report.stray, "answers nobody waited for"),
        (report.dropped, "lines refused or dropped"),
        (report.connections, "connections"),
    )
    return [(report.lost, "lost"), *(entry for entry in told if entry[0])]
