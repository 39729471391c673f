"""A year of the service as the files of other systems would tell it, with planted breaches, and a plan that names them.

``vetlla simulate year`` writes a park (``simulator.park``), a file of events of each kind of duty (``duties``), the
files of a PBX (``pbx``), a journal with the alarms (``receiver``), and the plan. Everything ordinary comes at the
tender's rates (``profile.toml``) and is kept. So whatever is breached was planted (``planting``, ``agenda``, ``calls``,
``alarms``). The same seed gives the same year; everything in it is invented.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain import tomlfile
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.domain.permissions import no_link
from vetlla.service.duties.kinds import parse_kinds
from vetlla.settings.shipped import duty_kinds_file
from vetlla.simulator import park
from vetlla.simulator.service_year.agenda import PlantedHome
from vetlla.simulator.service_year.communications import Communications, write_alarms, write_calls
from vetlla.simulator.service_year.duties import DutyYear

if TYPE_CHECKING:
    from vetlla.simulator.park import Park

HERE = Path(__file__).parent
PLAN = "plan.ndjson"
EVENTS = "events"
"""Folder of the files of events."""
CALLS = "calls"
"""Folder of the files of the PBX."""
RECEIVER = "receiver"
"""Folder of the journal, such as a receiver's state directory."""
HOMES_A_TURN = 20_000
"""Every way of a breach is planted once more for each of these portions of homes."""
FIRST_YEAR = 2025
"""The contract began within 2024, so its parameters do not hold for the whole of that year."""
SHARED_NUMBERS = "892000"
"""First digits of the numbers that two homes share: Spain assigns no number that begins so."""


class Written(NamedTuple):
    """What was written."""

    homes: int
    events: int
    duties: int
    calls: int
    alarms: int
    planted: int
    """Planted breaches."""
    near: int
    """Planted near misses."""


def write_year(out: Path, homes: int, seed: int, year: int) -> Written:
    """Write a year into a folder. Raises OSError or StoreError if it cannot be written."""
    made = park.generate(homes, seed)
    turns = 1 + homes // HOMES_A_TURN
    planted_homes = share_numbers(made, turns)
    park.write(made, out)
    for folder in (EVENTS, CALLS, RECEIVER):
        (out / folder).mkdir(exist_ok=True)
    reading = park.reading(date(year, 1, 1))
    profile: dict[str, Any] = tomllib.loads((HERE / "profile.toml").read_text(encoding="utf-8"))
    source = duty_kinds_file()
    kinds = parse_kinds(tomlfile.document(tomlfile.read_input(source)), str(source))
    duties = DutyYear(made, planted_homes, reading, profile, f"{seed}/{year}")
    emergencies = []
    for name in kinds.names():
        one = duties.kind(name, kinds)
        if name in TYPE_OF_KIND:
            emergencies.append(one)
        else:
            duties.write(out / EVENTS, one)
    about = Communications(made, duties, profile, turns, f"{seed}/{year}")
    alarms = write_alarms(out / RECEIVER, about, [story for one in emergencies for story in one.stories()])
    for one in emergencies:  # after the alarms, because each names the alarm that opened it
        duties.write(out / EVENTS, one)
    calls = write_calls(out / CALLS, about)
    plan = [*duties.plan, *alarms.plan, *calls.plan]
    with os.fdopen(no_link(out / PLAN, os.O_TRUNC), "w", encoding="utf-8") as file:
        file.writelines(f"{one.line()}\n" for one in plan)
    breached = sum(one.verdict == "breached" for one in plan)
    return Written(homes, duties.events, duties.duties, calls.number, alarms.number, breached, len(plan) - breached)


def share_numbers(made: Park, turns: int) -> list[PlantedHome]:
    """Return the homes of planted follow-ups. Each shares a second telephone number with another home."""
    odd = range(1, len(made.homes), 2)
    planted = []
    for turn in range(turns):
        shared = f"{SHARED_NUMBERS}{turn:03}"
        for place in odd[2 * turn : 2 * turn + 2]:
            home = made.homes[place]
            made.homes[place] = replace(home, phones=(*home.phones, shared))
        home = made.homes[odd[2 * turn]]
        planted.append(PlantedHome(home.code, home.phones[0], shared))
    return planted
