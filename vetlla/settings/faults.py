"""Explains what is wrong with a configuration so that the reader can correct it: file, key, fault, remedy."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, get_args

from pydantic import BaseModel

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
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
    given = tuple(part for part in details["loc"] if part != "[key]")
    _, location = _walk(given, guide.model)
    depth = next((end for end in range(len(location), 0, -1) if location[:end] in origins), 0)
    origin = origins.get(location[:depth])
    if origin and origin.number:
        location = (*location[: depth - 1], origin.number - 1, *location[depth:])
    file = origin.file if origin else main or "options"
    key = key_text(location)
    return _Fault(f"{file}: {key}" if key else str(file), what_is_wrong(details), _remedy(details, given, guide))


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
        case "union_tag_not_found":
            return "has no kind"
        case "union_tag_invalid":
            return f"{_shown(details['ctx']['tag'])} is not a kind of it"
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
        case "enum" | "literal_error" | "union_tag_invalid":
            words = _allowed(details)
            given = details.get("ctx", {}).get("tag", details["input"])
            close = get_close_matches(str(given), words, n=1)
            return f'did you mean "{close[0]}"?' if close else f"choose one of: {', '.join(words)}"
        case "missing":
            return f"add {key}, as in {guide.example}"
    return ""


def _key_remedy(key: str, location: Location, guide: Guide) -> str:
    model, _ = _walk(location[:-1], guide.model)
    if close := get_close_matches(key, model.model_fields, n=1):
        return f'did you mean "{close[0]}"?'
    for section in guide.model.model_fields:
        if key in _walk((section,), guide.model)[0].model_fields:
            return f"it belongs under [{section}]"
    return f"remove it; {guide.handbook} lists every setting"


def _walk(location: Location, root: type[BaseModel]) -> tuple[type[BaseModel], Location]:
    """Return the table at a location, and the location without the kinds that pydantic puts behind a table.

    The table is the root if the location is not in one.
    """
    model, kinds = root, list[type[BaseModel]]()
    kept: list[str | int] = []
    for part in location:
        named = next((kind for kind in kinds if part in get_args(kind.model_fields["kind"].annotation)), None)
        if named is not None:
            model, kinds = named, []
            continue
        kept.append(part)
        if isinstance(part, str) and part in model.model_fields:
            found = list(_models(model.model_fields[part].annotation))
            kinds = [one for one in found if "kind" in one.model_fields]
            model = found[0] if found else model
    return model, tuple(kept)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the tables that a value may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _allowed(details: ErrorDetails) -> list[str]:
    about = details.get("ctx", {})
    return re.findall(r"'([^']*)'", str(about.get("expected_tags") or about.get("expected", "")))


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
