"""The finding about a system that refused or did not answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.findings import Level, of_error
from vetlla.settings.secret import NoCredentialError

if TYPE_CHECKING:
    from vetlla.domain.errors import VetllaError
    from vetlla.domain.findings import Finding


def failed(check: str, error: VetllaError, remedy: str) -> Finding:
    """Return an error as a finding, with this remedy if the error has none.

    A process that systemd did not start has none of the service's credentials; that is UNKNOWN.
    """
    found = of_error(check, error)
    if isinstance(error, NoCredentialError):
        found = replace(found, level=Level.UNKNOWN)
    return found if error.remedy or found.level is Level.UNKNOWN else replace(found, remedy=remedy)
