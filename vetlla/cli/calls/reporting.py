"""``vetlla calls report`` and ``verify``."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.calls.options import Numbers, Zone, call_fields, call_row, seconds, zone_from
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Since, Until, Utc, as_month, within
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, counted, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile, footnote, load, load_on
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK, background_priority, without_collector
from vetlla.domain.clock import last_of_month, to_datetime, to_us
from vetlla.service.calendar import last_whole_month
from vetlla.service.calls.joining import joined
from vetlla.service.calls.report import figures, limits_of
from vetlla.service.percent import count_for, percent_of
from vetlla.store.calls import queries
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.calls.recordings import RecordingState, check, recordings

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from vetlla.service.calls.report import CallFigures

NOT_KEPT: Final = 1
"""Exit status of a report whose calls did not keep ANS 6, and of a check that found a recording missing or altered."""
BREACHES: Final = ("call", "external_id", "started", "number", "agent", "t3_s", "home")
BAD: Final = frozenset({RecordingState.MISSING, RecordingState.ALTERED, RecordingState.UNREADABLE})
Month = Annotated[
    date | None,
    typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month to report. Default: the last whole one."),
]


def report(
    *,
    month: Month = None,
    zone: Zone = "",
    numbers: Numbers = False,
    known: Known = "",
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report the calls of a month: their part of ANS 6 and 7, and the busiest hour. Signals of terminals are not in it.

    A call belongs to the month in which it began. Abandoned calls have no t3 and are counted apart.

    Exit status: 0 kept, or the calls do not show it, 1 not kept.

    Example: vetlla calls report --month 2026-11 --json
    """
    without_collector()
    reading = load_on(parameters_file)
    place = zone_from(zone, reading)
    first = month or last_whole_month(to_datetime(CLOCK.now().utc_us).astimezone(place).date())
    reading = reading.at(last_of_month(first))
    since_us, until_us = _bounds(first, place)
    with snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        calls = queries.calls(connection, joined, since_us=since_us, until_us=until_us)
        found = figures(calls, limits_of(reading), place)
    with verdict(NOT_KEPT if found.is_kept is False else 0):
        if as_json:
            print_json(_fields(first, found, numbers=numbers))
        else:
            _tell(first, found, numbers=numbers)
            footnote(reading)


def _bounds(first: date, zone: ZoneInfo) -> tuple[int, int]:
    after = last_of_month(first) + timedelta(days=1)
    return tuple(to_us(datetime(day.year, day.month, 1, tzinfo=zone)) for day in (first, after))  # type: ignore[return-value]


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"count": part, "of": whole, "percent": float(percent_of(part, whole)) if whole else None}


def _fields(first: date, found: CallFigures, *, numbers: bool) -> dict[str, Any]:
    limits, busiest = found.limits, found.busiest
    return {
        "month": f"{first:%Y-%m}",
        "in": found.incoming,
        "out": found.outgoing,
        "ans6": {
            "answered": found.answered,
            "with_t3": found.timed,
            "without_t3": found.untimed,
            "limit_s": limits.t3_s,
            "within": _share(found.within, found.timed),
            "required_percent": limits.share,
            "max_t3_s": seconds(found.t3_max_us) if found.timed else None,
            "never_over_s": limits.t3_max_s,
            "breaches": [call_fields(call, numbers=numbers) for call in found.breaches],
            "kept": found.is_kept,
        },
        "abandoned": found.abandoned,
        "lost": found.lost,
        "undecided": found.undecided,
        "out_answered": found.out_answered,
        "ans7": {
            "registered": _share(found.registered, found.all),
            "recorded": _share(found.recorded, found.talks),
            "filed": _share(found.filed, found.all),
            "erased": found.erased,
        },
        "busiest_hour": busiest,
        "by_hour": found.hours,
    }


def _tell(first: date, found: CallFigures, *, numbers: bool) -> None:
    limits = found.limits
    # 548 of 609 are 90.0 %, rounded, and do not keep 90 %.
    needed = f" ({count_for(limits.share, found.timed)})" if found.timed else ""
    unknown = found.untimed + found.undecided
    open_words = f"not measured: {counted(unknown, 'call')} without a known t3" if unknown else "no call shows it"
    kept = {True: "kept", False: "NOT KEPT", None: open_words}[found.is_kept]
    lines = {
        f"Calls of {first:%Y-%m}": f"{found.incoming} in, {found.outgoing} out ({found.out_answered} answered)",
        "ANS 6, calls": kept,
        f"  t3 at most {limits.t3_s} s": f"{_words(found.within, found.timed)}; required {limits.share} %{needed}",
        "  longest t3": f"{seconds(found.t3_max_us):g} s; never over {limits.t3_max_s} s" if found.timed else "",
        "  over that": counted(len(found.breaches), "call") if found.timed else "",
        "  answered, t3 unknown": str(found.untimed) if found.untimed else "",
        "Abandoned": str(found.abandoned),
        "Not answered else": str(found.lost) if found.lost else "",
        "Outcome unknown": f"{found.undecided}: import their queue log" if found.undecided else "",
        "ANS 7, calls": "",
        "  registered": _words(found.registered, found.all),
        "  recorded": f"{_words(found.recorded, found.talks)} answered",
        "  kept in the file": _words(found.filed, found.all),
        "Busiest hour": _band(found),
    }
    for name, value in lines.items():
        if value or name == "ANS 7, calls":
            console().print(f"{name:24} {value}".rstrip(), soft_wrap=True)
    rows = (call_row(call, numbers=numbers) for call in found.breaches)
    print_rows(rows, BREACHES, as_json=False, title=f"t3 over {limits.t3_max_s} s")


def _words(part: int, whole: int) -> str:
    return f"{part} of {whole} ({percent_of(part, whole)} %)" if whole else "0 of 0"


def _band(found: CallFigures) -> str:
    hour = found.busiest
    return "" if hour is None else f"{hour:02}:00-{hour:02}:59, {_words(found.hours[hour], found.incoming)} in"


def verify(
    folder: Annotated[Path, typer.Option("--recordings", metavar="DIR", help="Folder of the recordings.")],
    *,
    since: Since = "",
    until: Until = "",
    _utc: Utc = False,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Check that the recordings are in their folder, and that each has the hash that was imported.

    Exit status: 0 each is there, and none was altered; 1 one is missing, altered or cannot be read.

    Example: vetlla calls verify --recordings /var/spool/asterisk/monitor --since 2026-11-01
    """
    load(parameters_file)  # times are on the clock of the service
    since_us, until_us = within(since, until)
    background_priority()
    wanted = recordings(state_dir, CLOCK, since_us, until_us)
    counts: Counter[RecordingState] = Counter()
    rows = []
    with progress("checking recordings") as tell:
        for one, state in check(folder, wanted, tell):
            counts[state] += 1
            if state is not RecordingState.WHOLE:
                rows.append({"call": one.call, "recording": one.path, "state": state.value})
    with verdict(NOT_KEPT if any(counts[state] for state in BAD) else 0):
        print_rows(rows, ("call", "recording", "state"), as_json=as_json)
        totals = {state.value: counts[state] for state in RecordingState}
        if as_json:
            print_json({"recordings": len(wanted), **totals})
        else:
            said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals.items() if count)
            console().print(f"{counted(len(wanted), 'recording')}{': ' if said else ''}{said}")
