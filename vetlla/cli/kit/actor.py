"""Names the person who runs the command, for records of changes."""

from __future__ import annotations

import os

from vetlla.domain.permissions import user_name


def actor() -> str:
    """Return the Unix user; under sudo also the person, because "root" names no person."""
    person = os.environ.get("SUDO_USER", "")
    name = user_name(os.getuid())
    return f"{person} (as {name})" if person and person != name else name
