"""The option ``--fault NAME=VALUE`` of the simulators."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from vetlla.domain.errors import UsageError
from vetlla.simulator.web.way import WayFaults

F = TypeVar("F", bound=WayFaults)


def faults_of(kind: type[F], named: list[str], option: str = "--fault") -> F:
    """Return the faults that the options name. Raises UsageError."""
    pairs = [text.partition("=") for text in named]
    try:
        return kind.model_validate_strings({name: value for name, _, value in pairs})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        # Faults of the simulated system come before those of the way to any system.
        known = ", ".join(sorted(kind.model_fields, key=WayFaults.model_fields.__contains__))
        raise UsageError(f"{option} {name}: {first['msg'].lower()}", remedy=f"faults are: {known}") from error
