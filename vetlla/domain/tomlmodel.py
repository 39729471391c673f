"""Checks the document of a TOML file against a pydantic type, and says in one sentence what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import TypeAdapter

T = TypeVar("T")


def validated(form: TypeAdapter[T], document: Mapping[str, object], source: str, *, remedy: str) -> T:
    """Return the value of a document; ``source`` names the file in errors.

    Raises ConfigError with the table, the key and what is wrong with it.
    """
    try:
        return form.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        message = str(first.get("ctx", {}).get("error", first["msg"]))
        raise ConfigError(f"{source}: {where}: {message}", remedy=remedy) from error
