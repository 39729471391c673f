"""The program that makes the parts of a month. Another version of it may set a page in another way."""

from __future__ import annotations

from vetlla import __version__
from vetlla.documents.pdf import typesetter


def program() -> str:
    """Return the version of the program, and the typesetter that makes its pages if there is one."""
    return ", ".join(filter(None, (__version__, typesetter())))
