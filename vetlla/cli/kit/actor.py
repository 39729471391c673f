"""Who runs the command: the name that records of change carry."""

from __future__ import annotations

import os

from vetlla.domain.access import user_name


def actor() -> str:
    """Return the Unix user; behind sudo also the person, since "root" names no person."""
    person = os.environ.get("SUDO_USER", "")
    name = user_name(os.getuid())
    return f"{person} (as {name})" if person and person != name else name
