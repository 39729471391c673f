"""Reads the service levels of the desk: those that come with the program, or a file of the contractor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError
from vetlla.service.support.levels import ServiceLevels
from vetlla.settings.shipped import support_levels
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from pathlib import Path


def load_levels(file: Path | None = None) -> ServiceLevels:
    """Return the hours, holidays and times of the desk. Raises ConfigError that names the file."""
    source = file or support_levels()
    parameters = read_parameters(source, "--levels")
    try:
        return ServiceLevels(parameters)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error.args[0]}", remedy=error.remedy) from error
