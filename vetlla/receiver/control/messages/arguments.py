"""Types of arguments that requests of several subjects take."""

from typing import Annotated, TypeAlias, TypeVar

from pydantic import Field, StringConstraints

from vetlla.receiver.control.messages.base import PAGE_MAX, TEXT_MAX

_T = TypeVar("_T")

Listed: TypeAlias = Annotated[tuple[_T, ...], Field(strict=False)]
"""A tuple here, and a list on the wire."""
Text: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_MAX)]
"""A text that is not empty. Blanks at its ends are removed."""
Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=TEXT_MAX)]
"""A text that may be empty. Blanks at its ends are removed."""
Limit: TypeAlias = Annotated[int, Field(ge=1, le=PAGE_MAX, description=f"a page holds 1 to {PAGE_MAX} entries")]
