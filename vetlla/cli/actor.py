"""Who runs the command: the name that records of change carry."""

from __future__ import annotations

import os
import pwd


def actor() -> str:
    """Return the Unix user; behind sudo also the person, since "root" says nobody."""
    person = os.environ.get("SUDO_USER", "")
    name = _user_name(os.getuid())
    return f"{person} (as {name})" if person and person != name else name


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user without an entry
        return str(uid)
