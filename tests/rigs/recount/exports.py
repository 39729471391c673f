"""What a person who counts an invoice by hand asks the commands for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
CALLS: Final = ("--kind", "follow_up", "--kind", "revaluation")
EMERGENCIES: Final = ("--kind", "umo_1", "--kind", "umo_2")


class Ask(Protocol):
    """Runs a command."""

    def __call__(self, *words: object) -> list[Row]:
        """Return the objects that it prints, one a line."""
        ...


class Call(NamedTuple):
    """A follow-up or a revaluation that was answered."""

    kind: str
    subject: str
    answered: str
    """Time of the answer, in UTC."""
    home: str
    """Home that the plan names, or nothing."""


class Exports(NamedTuple):
    """The record at one moment."""

    homes: dict[str, list[Row]]
    """Facts by code, in the order of recording; also those of people."""
    people: dict[str, list[Row]]
    devices: dict[str, list[Row]]
    """Movements by TYPE:SERIAL, in the order of registration."""
    calls: list[Call]
    emergencies: list[Row]
    """Duties with all of their events."""


def exported(ask: Ask) -> Exports:
    """Return the record as it is now."""
    return Exports(
        {code: ask("homes", "history", code, "--json") for code in _codes(ask, "homes")},
        {code: ask("people", "history", code, "--json") for code in _codes(ask, "people")},
        {name: _movements(ask, name) for name in _devices(ask)},
        list(_answered(ask("duties", "list", *CALLS, "--json"), _events(ask))),
        [ask("duties", "show", one["id"], "--json")[0] for one in ask("duties", "list", *EMERGENCIES, "--json")],
    )


def in_force(ask: Ask, day: str, *words: object) -> dict[str, str]:
    """Return the parameters that are in force on a day."""
    return {row["name"]: row["value"] for row in ask("inventory", "parameters", "--day", day, "--json", *words)}


def _codes(ask: Ask, what: str) -> list[str]:
    return [row["code"] for row in ask("inventory", "export", "-", "--what", what, "--format", "ndjson")]


def _devices(ask: Ask) -> list[str]:
    return [f"{row['type']}:{row['serial']}" for row in ask("inventory", "export", "-", "--format", "ndjson")]


def _movements(ask: Ask, device: str) -> list[Row]:
    return [row for row in ask("inventory", "history", device, "--json") if "place" in row]


def _events(ask: Ask) -> list[Row]:
    return ask("duties", "export", "-", *CALLS, "--format", "ndjson")


def _answered(duties: Iterable[Row], events: list[Row]) -> Iterable[Call]:
    """Return the calls that ended with an answer. A call given up, replaced or called off before has another end."""
    answers = {(one["kind"], one["subject"], one["at"]) for one in events if one["event"] == "answered"}
    plans = {(one["kind"], one["subject"], one["at"], one["ref"]): one for one in events if one["event"] == "planned"}
    for duty in duties:
        kind, subject = duty["kind"], duty["subject"]
        if (kind, subject, duty["ended"]) in answers:
            details = plans[kind, subject, duty["opened"], duty["ref"]]["details"]
            yield Call(kind, subject, duty["ended"], json.loads(details or "{}").get("home", ""))
