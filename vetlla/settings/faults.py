"""Explains what is wrong with a configuration so that the reader can correct it: file, key, fault, remedy."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, get_args

from pydantic import BaseModel

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Location: TypeAlias = tuple[str | int, ...]
"""Keys from the top down; positions in lists count from 0."""

_MANY = 8
"""A message lists the allowed words only if there are at most this many."""


class Guide(NamedTuple):
    """What a reader of an error can look at."""

    model: type[BaseModel]
    """All settings of this configuration."""
    example: str
    handbook: str


class Origin(NamedTuple):
    """Where a value is written; ``number`` is the position of a ``[[table]]`` in its file, from 1."""

    file: Path
    number: int = 0


class _Fault(NamedTuple):
    where: str
    what: str
    remedy: str


def refusal(error: ValidationError, origins: Mapping[Location, Origin], main: Path | None, guide: Guide) -> ConfigError:
    """Return one error that lists everything that is wrong."""
    read = f"{guide.handbook} says what each setting means"
    faults = [
        _fault(details, origins, main, guide)
        for details in error.errors(include_url=False)
        if details["type"] != "default_factory_not_called"  # it only follows from another fault in the list
    ]
    if len(faults) == 1:
        return ConfigError(f"{faults[0].where}: {faults[0].what}", remedy=faults[0].remedy or read)
    lines = (f"{fault.where}: {fault.what}" + (f" ({fault.remedy})" if fault.remedy else "") for fault in faults)
    return ConfigError("\n  ".join([f"{len(faults)} settings cannot be used", *lines]), remedy=read)


def _fault(details: ErrorDetails, origins: Mapping[Location, Origin], main: Path | None, guide: Guide) -> _Fault:
    location = tuple(part for part in details["loc"] if part != "[key]")
    depth = next((end for end in range(len(location), 0, -1) if location[:end] in origins), 0)
    origin = origins.get(location[:depth])
    if origin and origin.number:
        location = (*location[: depth - 1], origin.number - 1, *location[depth:])
    file = origin.file if origin else main or "options"
    key = key_text(location)
    return _Fault(f"{file}: {key}" if key else str(file), what_is_wrong(details), _remedy(details, location, guide))


def key_text(location: Iterable[str | int]) -> str:
    """Return a key such as ``listen[2].port``; positions count from 1, as people count."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def what_is_wrong(details: ErrorDetails) -> str:
    """Return the fault as the end of a sentence that begins with the key."""
    match details["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "missing":
            return "is missing"
        case "enum" | "literal_error" if len(_allowed(details)) > _MANY:
            return f"{_shown(details['input'])} is not an allowed word"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = "" if isinstance(details["input"], dict | list | BaseModel) else f", not {_shown(details['input'])}"
    return message + shown


def _remedy(details: ErrorDetails, location: Location, guide: Guide) -> str:
    key = str(location[-1]) if location else ""
    match details["type"]:
        case "extra_forbidden":
            return _key_remedy(key, location, guide)
        case "enum" | "literal_error":
            words = _allowed(details)
            close = get_close_matches(str(details["input"]), words, n=1)
            return f'did you mean "{close[0]}"?' if close else f"choose one of: {', '.join(words)}"
        case "missing":
            return f"add {key}, as in {guide.example}"
    return ""


def _key_remedy(key: str, location: Location, guide: Guide) -> str:
    model = _model_at(location[:-1], guide.model)
    if close := get_close_matches(key, model.model_fields, n=1):
        return f'did you mean "{close[0]}"?'
    for section in guide.model.model_fields:
        if key in _model_at((section,), guide.model).model_fields:
            return f"it belongs under [{section}]"
    return f"remove it; {guide.handbook} lists every setting"


def _model_at(location: Location, root: type[BaseModel]) -> type[BaseModel]:
    """Return the model whose fields are allowed at a location; the root if the location is not a table."""
    model = root
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            candidates = (annotation, *get_args(annotation))
            model = next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return model


def _allowed(details: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
