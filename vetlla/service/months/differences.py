"""How two results of a month differ, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES: Final = (
    ("what", "number", "begun"),
    ("what", "number", "day"),
    ("fault", "about", "day"),
    ("action",),
    ("ans",),
    ("by", "name"),
    ("name",),
    ("concept",),
)
"""Fields that name an object in a list, the first that fit: so a new breach is one difference, and moves no other.
Cases of faults come before levels, because they name a level, too."""


class FieldDifference(NamedTuple):
    """A field that differs; a value is None where the field is absent, and an object of a list is one field."""

    field: str
    """Its path, such as ``[ans=14].numerator``."""
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[FieldDifference]:  # noqa: ANN401 - any JSON
    """Yield the fields in which two JSON values differ, in the order of their names."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after or type(before) is not type(after):
        yield FieldDifference(path, before, after)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[FieldDifference]:
    names = _names([*before, *after])
    one, other = _by_name(before, names), _by_name(after, names)
    for key in dict.fromkeys([*one, *other]):
        yield from differences(one.get(key), other.get(key), f"{path}[{key}]")


def _names(objects: Sequence[Any]) -> tuple[str, ...]:
    """Return the fields that name each object; empty if its place in the list does."""
    if not all(isinstance(one, dict) for one in objects):
        return ()
    return next((names for names in NAMES if all(set(names) <= one.keys() for one in objects)), ())


def _by_name(values: Sequence[Any], names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, value in enumerate(values):
        key = ",".join(f"{name}={value[name]}" for name in names) if names else str(place)
        found[f"{key},#{place}" if key in found else key] = value
    return found
