"""Types of arguments that requests of several subjects take."""

from typing import Annotated, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field

from vetlla.receiver.control.messages.base import PAGE_MAX, TEXT_MAX

_T = TypeVar("_T")

Listed: TypeAlias = Annotated[tuple[_T, ...], Field(strict=False)]
"""A tuple here, and a list in a message."""
Stripped = BeforeValidator(lambda given: given.strip() if isinstance(given, str) else given)
"""Removes blanks at both ends as Python does. pydantic's own constraint leaves control characters such as U+001C, and a
reason of such characters is empty."""
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=TEXT_MAX), Stripped]
"""A text that is not empty. Blanks at its ends are removed."""
Words: TypeAlias = Annotated[str, Field(max_length=TEXT_MAX), Stripped]
"""A text that may be empty. Blanks at its ends are removed."""
Limit: TypeAlias = Annotated[int, Field(ge=1, le=PAGE_MAX, description=f"a page holds 1 to {PAGE_MAX} entries")]
