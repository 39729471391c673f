"""Shows the result of ``vetlla simulate`` to a person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from vetlla.simulator.events import Tell
    from vetlla.simulator.scenario import Scenario
    from vetlla.simulator.statistics import Counts, FleetStatistics, Report


def trouble(counts: Counts) -> str:
    """Return in a few words what goes wrong in a run that is going on."""
    told = {"repeated": counts.repeated, "NAK": counts.nak, "refused": counts.refused, "lost": counts.lost}
    return "  ".join(f"{count:,} {name}" for name, count in told.items() if count)


def teller(screen: Console) -> Tell:
    """Return a function that shows a person each event of the fleet as it happens."""
    return partial(screen.print, soft_wrap=True)


def table(report: Report, scenario: Scenario) -> Table:
    """Return the result as a table: what was sent, how fast, what was lost, how to repeat it."""
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(justify="right", style="bold")
    rows.add_column()
    load = "as fast as answers came" if scenario.rate is None else f"{scenario.rate:g}/s wanted"
    how = f"{scenario.protocol} over {scenario.transport}"
    rows.add_row(f"{report.told:,}", f"reports of {report.homes:,} homes in {report.seconds:.1f} s, {how}")
    rows.add_row(f"{report.acknowledged:,}", f"acknowledged: {report.per_second:,.0f}/s ({load})")
    for count, meaning in (*_rest(report), *mishaps(report)):
        rows.add_row(f"{count:,}", meaning)
    if report.p50_us is not None:
        for name in ("p50", "p90", "p99", "max"):
            rows.add_row(f"{getattr(report, f'{name}_us') / 1000:.2f} ms", f"{name} from due to acknowledged")
    add_backlog(rows, report)
    rows.add_row(str(scenario.seed), "seed: --seed repeats the same reports and faults")
    rows.add_row(*("complete", _complete(report)) if report.complete else ("INCOMPLETE", "see above"))
    return rows


def mishaps(counts: FleetStatistics | Report) -> Sequence[tuple[int, str]]:
    """Return each kind of event that happened to the fleet: its count and its meaning."""
    told = (
        (counts.cut, "connections broken by the outage"),
        (counts.backlog, "became due while the home had no network"),
        (len(counts.silent), "homes fell silent, with their connections open"),
    )
    return [entry for entry in told if entry[0]]


def add_backlog(rows: Table, counts: FleetStatistics | Report) -> None:
    """Add how long it took until the reports that an outage held up were delivered."""
    if counts.backlog_s is not None:
        rows.add_row(
            f"{counts.backlog_s:.1f} s", "from the first home's return to the last report that the outage delayed"
        )


def _complete(report: Report) -> str:
    return "every report was acknowledged" + (" that the protocol acknowledges" if report.sent else "")


def _rest(report: Report) -> list[tuple[int, str]]:
    """Return the counts besides acknowledgements that are not 0, each with its meaning; losses are always shown."""
    told = (
        (report.sent, "sent: the protocol has no acknowledgement for them, the receiver's machine took the bytes"),
        (report.refused, "refused (DUH)"),
        (report.repeated, "repeated"),
        (report.nak, "NAK: clock corrected"),
        (report.duplicated, f"sent on a second path too, {report.second_path:,} acknowledged there"),
        (report.malformed, "malformed answers"),
        (report.stray, "answers that no home waited for"),
        (report.dropped, "lines refused or dropped"),
        (report.connections, "connections"),
    )
    return [(report.lost, "lost"), *(entry for entry in told if entry[0])]
