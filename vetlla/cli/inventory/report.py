"""The inventory's reports: the monthly inventory, the check of the rules, the digital share."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit import parameters
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, Day, background_priority, today, without_collector, working
from vetlla.cli.kit.row_files import ExportFormat
from vetlla.domain.clock import last_of_month
from vetlla.domain.errors import AccessError, ConfigError, StoreError, UsageError
from vetlla.domain.findings import Finding, Level, worst
from vetlla.domain.permissions import explained
from vetlla.service.inventory import check as rules
from vetlla.service.inventory import report as monthly
from vetlla.service.inventory.digital import DigitalShare, digital_share
from vetlla.store.homes import queries as homes
from vetlla.store.inventory import heard as inventory_heard
from vetlla.store.inventory import queries as inventory
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.transaction import snapshot
from vetlla.tables import objects
from vetlla.tables.source import ENDINGS, STANDARD, FileKind
from vetlla.tables.target import finished, kind_of, letters, write
from vetlla.tables.xlsx import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.inventory.report import Report

NOT_KEPT = 1
"""Exit status if a date has passed and something that was due by it is missing."""
SHOWN = 10
"""Most breaches of a rule that a person is shown; --all and --json show every one."""


def month_end(text: str) -> date:
    """Return the last day of a month written YYYY-MM."""
    return last_of_month(as_month(text))


def report(
    month: Annotated[
        date, typer.Option("--month", parser=month_end, metavar="YYYY-MM", help="Month; the report shows its last day.")
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE|-", help="Write to .xlsx, .csv (totals apart) or .json; repeatable; - is stdout."
        ),
    ] = None,
    form: ExportFormat = None,
    known: Known = "",
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Make the monthly inventory: every device in homes and warehouse, and totals by type and owner.

    Without --out the totals are printed. A month that has not ended is reported as of today.

    Example: vetlla inventory report --month 2024-06 --out june.xlsx --out june.json
    """
    parameters.load(parameters_file)  # today and a time are on the clock of the service
    if month.replace(day=1) > today():
        raise UsageError(f"{month:%Y-%m} has not begun", remedy="vetlla renewals forecast shows what is to come")
    files = [(path, kind_of(path, None if path.suffix.lower() in ENDINGS else form)) for path in out or []]
    if any(kind is FileKind.NDJSON for _, kind in files):
        raise UsageError("a report is one document, and NDJSON has many", remedy="end its name in .json, .csv or .xlsx")
    if (STANDARD, FileKind.CSV) in files:
        raise UsageError(
            "a report is two CSV files, and standard output takes one",
            remedy="--out june.csv, or --out - --format json",
        )
    background_priority()
    with working("reporting"), snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        on = min(month, today())
        registered = homes.homes(connection, day=on)
        made = monthly.report(inventory.fleet(connection, on), on, inventory.replaced(connection, on), registered)
        for path, kind in files:
            _WRITERS[kind](path, made)
    if not files:
        totals = (total.row() for total in made.totals)
        print_rows(totals, monthly.TOTAL_COLUMNS, as_json=as_json, title=f"inventory on {made.day}")
        if not as_json:
            console().print(f"at no cost: {made.terminals_at_no_cost} GSM-IP terminals, {made.buttons_at_no_cost} UCR")


def check(
    day: Day = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; repeatable.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every breach, not only the first ten.")] = False,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Check the inventory against the contract's rules, as a monitoring plug-in.

    Exit status: 0 all rules kept, 1 warnings, 2 rules broken that leave people without service or break a standard,
    3 unknown, because nothing is registered or the registry cannot be read.

    Example: vetlla inventory check --rule person_without_ucr --all
    """
    unknown = set(rule or ()) - {one.name for one in rules.RULES}
    if unknown:
        raise UsageError(f"no rule {', '.join(unknown)}", remedy=f"one of {', '.join(one.name for one in rules.RULES)}")
    chosen = [one for one in rules.RULES if not rule or one.name in rule]
    without_collector()
    try:
        known = _known(state_dir, day, parameters_file)
        found = rules.check(known, chosen)
    except (StoreError, ConfigError, AccessError) as error:
        told = explained(error)
        _unknown(told.args[0], told.remedy, as_json=as_json)
        return
    if not known.homes and not known.fleet:
        _unknown(f"nothing is registered in {state_dir}", as_json=as_json)
        return
    level = worst(found)
    with verdict(level):
        if as_json:
            for finding in found:
                print_json(fields(finding))
        else:
            _tell(chosen, found, level, limit=None if everything else SHOWN)
        parameters.footnote(known.reading)


def _known(state_dir: Path, day: date | None, parameters_file: Path | None) -> rules.CheckInput:
    values = parameters.load_on(parameters_file, day)
    on = values.day
    with snapshot(state_dir, CLOCK) as connection:
        registered = inventory_heard.registered(connection)
        heard = inventory_heard.unknown(state_dir / JOURNAL)
        return rules.CheckInput(
            day=on,
            fleet=list(inventory.fleet(connection, on)),
            homes=homes.homes(connection, day=on),
            people=homes.people(connection, day=on),
            reading=values,
            accounts=registered,
            unknown={account: times for account, times in heard.items() if account not in registered},
        )


def _unknown(why: str, remedy: str = "", *, as_json: bool) -> None:
    """End a check that cannot be made with UNKNOWN, as monitoring systems expect it."""
    with verdict(Level.UNKNOWN):
        if as_json:
            print_json(fields(Finding(check="", level=Level.UNKNOWN, text=why, remedy=remedy)))
        else:
            said = " -> ".join(filter(None, (why, remedy)))
            console().print(f"INVENTORY {Level.UNKNOWN.name}: {said}", soft_wrap=True)


def digital(
    day: Day = None,
    known: Known = "",
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the share of GSM-IP terminals against the target and the offer, and the homes that must be next.

    Exit status: 0 nothing is missing that was due by the day, 1 something is missing although its date in the contract
    or the offer has passed.

    Example: vetlla inventory digital --json
    """
    values = parameters.load_on(parameters_file, day)
    on = values.day
    without_collector()
    with snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        share = digital_share(inventory.fleet(connection, on), homes.homes(connection, day=on), values)
    with verdict(0 if share.kept else NOT_KEPT):
        if as_json:
            print_json(_plain(share))
        else:
            for line in _said(share):
                console().print(line)
        parameters.footnote(values)


def _write_xlsx(path: Path, made: Report) -> None:
    totals = ([*total.row().values()] for total in made.totals)
    with finished(path) as out:
        writing.write(
            out,
            {
                "inventory": (monthly.COLUMNS, made.rows),
                "totals": (monthly.TOTAL_COLUMNS, totals),
                "at no cost": (("what", "number"), _at_no_cost(made)),
            },
        )


def _write_csv(path: Path, made: Report) -> None:
    write(path, monthly.COLUMNS, made.rows, "inventory")
    totals = [[*total.row().values()] for total in made.totals]
    totals += [["at no cost", what, "", "", number] for what, number in _at_no_cost(made)]
    write(path.with_suffix(".totals.csv"), monthly.TOTAL_COLUMNS, totals, "totals")


def _write_json(path: Path, made: Report) -> None:
    head = {
        "day": str(made.day),
        "totals": [total.row() for total in made.totals],
        "at_no_cost": dict(_at_no_cost(made)),
    }
    with finished(path) as out, letters(out) as text:
        # Write the devices one by one, because a full park's document has 60 MB.
        text.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "devices": ')
        objects.write(text, monthly.COLUMNS, made.rows, lines=False)
        text.write("}\n")


_WRITERS = {FileKind.XLSX: _write_xlsx, FileKind.CSV: _write_csv, FileKind.JSON: _write_json}


def _at_no_cost(made: Report) -> list[tuple[str, int]]:
    return [("terminal_ip", made.terminals_at_no_cost), ("ucr", made.buttons_at_no_cost)]


def _tell(chosen: list[rules.Rule], found: list[Finding], worst: Level, *, limit: int | None) -> None:
    by_rule: dict[str, list[Finding]] = {rule.name: [] for rule in chosen}
    for finding in found:
        by_rule[finding.check].append(finding)
    said = ", ".join(f"{len(several)} {name}" for name, several in by_rule.items() if several) or "all rules kept"
    figures = " ".join(f"{name}={len(several)}" for name, several in by_rule.items())
    out = console()
    out.print(f"INVENTORY {worst.name}: {said} | {figures}", soft_wrap=True)
    for name, several in by_rule.items():
        for finding in several[:limit]:
            named = " ".join(filter(None, (finding.home, finding.device)))
            out.print(f"{name}: {named} {finding.text}", soft_wrap=True)
        if limit is not None and len(several) > limit:
            talk().print(f"{name}: {len(several) - limit} more (--all)")


def _plain(share: DigitalShare) -> dict[str, Any]:
    return {
        "day": str(share.day),
        "terminals": share.terminals,
        "digital": share.digital,
        "share": str(share.share),
        "target": share.target,
        "offered_points": share.offered_points,
        "offered_by": str(share.offered_by),
        "reached_by": str(share.reached_by),
        "kept": share.kept,
        "offered": share.offered,
        "offered_share": str(share.offered_share),
        "missing": share.missing,
        "level_3": share.level_3,
        "level_3_waiting": list(share.level_3_waiting),
        "level_2": share.level_2,
        "level_2_needed": share.level_2_needed,
        "level_2_digital": share.level_2_digital,
        "level_2_next": list(share.level_2_next),
    }


def _said(share: DigitalShare) -> Iterator[str]:
    target = share.target + share.offered_points
    yield f"{share.digital} of {share.terminals} terminals are digital: {share.share} % of {target} % wanted"
    yield f"{share.missing} digital terminals are missing"
    if share.offered_points:
        yield f"at no cost: {share.offered}, {share.offered_share} % of {share.offered_points} % by {share.offered_by}"
    yield f"level 3: {share.level_3 - len(share.level_3_waiting)} of {share.level_3} homes are digital"
    yield f"level 2: {share.level_2_digital} of {share.level_2_needed} homes are digital (half of {share.level_2})"
    following = (*share.level_3_waiting, *share.level_2_next)
    if following:
        yield f"next: {' '.join(following[:SHOWN])}{' ...' if len(following) > SHOWN else ''} (--json shows all)"
