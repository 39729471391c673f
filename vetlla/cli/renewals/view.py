"""Shows plans and forecasts as rows, tables and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from vetlla.cli.kit import parameters
from vetlla.cli.kit.output import console, counted, print_json, print_rows, talk
from vetlla.cli.renewals import chart as renewals_chart
from vetlla.service.renewals.explain import why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.documents.charts.shapes import ChartPicture
    from vetlla.domain.visits import Visit
    from vetlla.service.parameters import Reading
    from vetlla.service.renewals.base_plans import BaseFigures, Shortage
    from vetlla.service.renewals.forecast import Year
    from vetlla.service.renewals.planning import PlanResult

VISIT_COLUMNS = ("visit", "day", "base", "home", "minutes", "agreed", "digital", "tasks")
BASE_COLUMNS = ("base", "visits", "minutes", "peak", "peak_day", "bound", "longest", "stretch")
SHOWN = 10
"""Most devices of a shortage that a person is shown."""


def visit_row(visit: Visit, names: dict[int, str], *, explain: bool) -> dict[str, Any]:
    """Return a visit as a row, with its reasons if asked."""
    row: dict[str, Any] = {
        "visit": visit.number,
        "day": str(visit.day),
        "base": visit.base,
        "home": visit.home,
        "minutes": visit.minutes,
        "agreed": visit.agreed,
        "digital": visit.digital,
        "tasks": "; ".join(f"{task.work} {names.get(task.device, task.type)}" for task in visit.tasks),
        "earliest": str(visit.why.earliest),
        "latest": str(visit.why.latest),
    }
    return {**row, "why": " ".join(why(visit, names))} if explain else row


def base_row(figures: BaseFigures) -> dict[str, Any]:
    """Return the figures of a base's plan as a row."""
    return {
        "base": figures.base,
        "visits": figures.visits,
        "minutes": figures.minutes,
        "peak": figures.peak,
        "peak_day": str(figures.peak_day),
        "bound": round(float(figures.bound), 1),
        "longest": figures.longest,
        "stretch": f"{figures.stretch_first}/{figures.stretch_last}",
    }


def tell_plan(made: PlanResult, names: dict[int, str], values: Reading, *, as_json: bool) -> None:
    """Print each base's peak beside its bound, or what the capacity lacks."""
    for short in made.shortages:
        _tell_shortage(short, names, as_json=as_json)
    if made.overdue:
        talk().print(f"{counted(made.overdue, 'visit')} for devices whose useful life is over already", style="yellow")
    if made.unattended:
        talk().print(f"{counted(made.unattended, 'device')} in homes no longer attended: recover them", style="yellow")
    if made.no_local_holidays:
        years = ", ".join(map(str, made.no_local_holidays))
        talk().print(f"no local holidays of {years} in the parameters (holidays.local): visits may fall on them")
    if not made.shortages:
        print_rows(map(base_row, made.bases), BASE_COLUMNS, as_json=as_json)
    parameters.footnote(values)


def _tell_shortage(short: Shortage, names: dict[int, str], *, as_json: bool) -> None:
    devices = [names[task.device] for task in short.tasks if task.device in names]
    if as_json:
        print_json(
            {
                "base": short.base,
                "first": str(short.first),
                "last": str(short.last),
                "working_days": short.days,
                "minutes_needed": short.minutes_needed,
                "minutes_short": short.minutes_short,
                "least_capacity": short.least_capacity,
                "homes": list(short.homes),
                "devices": devices,
            }
        )
        return
    out = console()
    lacks = (
        f"{short.minutes_short} minutes short" if short.minutes_short else "no way to pack whole visits into its days"
    )
    out.print(
        f"base {short.base}: {lacks}: {short.minutes_needed} minutes must fall in the {short.days} working days from"
        f" {short.first} to {short.last}",
        soft_wrap=True,
    )
    out.print(f"  least capacity that does: {short.least_capacity} technician-minutes a working day")
    more = f" and {len(devices) - SHOWN} more (--json)" if len(devices) > SHOWN else ""
    out.print(f"  devices: {' '.join(devices[:SHOWN])}{more}", soft_wrap=True)


def year_row(year: Year) -> dict[str, Any]:
    """Return a year of the forecast as JSON fields."""
    return {
        "year": year.span.first.year,
        "from": str(year.span.first),
        "to": str(year.span.last),
        "homes": year.homes,
        "renewals": year.renewals,
        "renewals_gsm": year.renewals_gsm,
        "growth": year.growth,
        "terminals": year.terminals,
        "digital": year.digital,
        "analog": year.analog,
        "digital_share": str(year.share),
        "devices": {kind.value: number for kind, number in year.devices.items()},
        "rent": {line: str(cost) for line, cost in year.costs.items()},
        "rent_total": str(year.cost),
    }


def tell_forecast(years: Sequence[Year]) -> None:
    """Print the years side by side, and a bar for each."""
    table = Table("", *(str(year.span.first.year) for year in years), "total", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, figures in (
        ("months", [year.span.months for year in years]),
        ("renewals", [year.renewals for year in years]),
        ("  of them GSM", [year.renewals_gsm for year in years]),
        ("growth", [year.growth for year in years]),
        ("terminals", [year.terminals for year in years]),
        ("  digital", [year.digital for year in years]),
        ("  analog", [year.analog for year in years]),
    ):
        table.add_row(label, *(f"{figure:,}" for figure in figures), f"{sum(figures):,}")
    table.add_row("homes", *(f"{year.homes:,}" for year in years))
    table.add_row("digital share %", *(str(year.share) for year in years))
    for kind in sorted({kind for year in years for kind in year.devices}):
        numbers = [year.devices.get(kind, 0) for year in years]
        table.add_row(kind.value, *(f"{number:,}" for number in numbers), f"{sum(numbers):,}")
    rents = [year.cost for year in years]
    table.add_row("rent EUR", *(f"{rent:,}" for rent in rents), f"{sum(rents):,}")
    console().print(table)
    most = max((year.terminals for year in years), default=0) or 1
    for year in years:
        long, short = round(50 * year.digital / most), round(50 * year.analog / most)
        bar = "█" * long + "░" * short
        console().print(f"{year.span.first.year} {bar} {year.terminals:,}")
    console().print("     █ digital ░ analog")


def drawn(years: Sequence[Year]) -> ChartPicture:
    """Return the years as a picture."""
    return renewals_chart.picture(
        f"Terminals to install, {years[0].span.first} to {years[-1].span.last}",
        "terminals",
        [str(year.span.first.year) for year in years],
        [
            renewals_chart.Part("digital (GSM-IP)", [year.digital for year in years]),
            renewals_chart.Part("analog", [year.analog for year in years]),
        ],
        [
            (f"{year.span.months} months", f"{year.share} % of homes digital", f"rent {year.cost:,.0f} EUR")
            for year in years
        ],
    )
