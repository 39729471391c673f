"""Values of a TOML document, checked one by one: an error names the entry and the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

M = TypeVar("M", bound=BaseModel)


def entries(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list of ``[[name]]`` entries. Raises ValueError if it is no list."""
    found = document.get(name, [])
    if not isinstance(found, list):
        raise ValueError(f"{name} must be a list: write [[{name}]]")  # noqa: TRY004 - the file is wrong
    return found


def read(kind: type[M], entry: object, where: str) -> M:
    """Return an entry as a value. Raises ValueError with every key that is wrong."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        raise ValueError(f"{where}: {'; '.join(_faults(error))}") from error


def _faults(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False):
        key = ".".join(map(str, one["loc"]))
        match one["type"]:
            case "extra_forbidden":
                yield f"there is no key {key}"
            case "missing":
                yield f"{key} is missing"
            case _:
                yield f"{key}: {one['msg']}"
