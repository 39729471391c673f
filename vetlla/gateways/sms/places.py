"""Places such as ``{to}`` in the settings of an SMS gateway, and paths to a value of its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES: Final = frozenset({"to", "to_digits", "from", "text", "reference", "useful_s", "useful_min", "coding"})
"""``to_digits`` is the number without its plus sign; ``coding`` is the gateway's word for the text's alphabet."""
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


def places_in(template: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the name of each place in the texts of a template, its keys excluded."""
    if isinstance(template, str):
        yield from _PLACE.findall(template)
    elif isinstance(template, Mapping):
        for one in template.values():
            yield from places_in(one)
    elif isinstance(template, list | tuple):
        for one in template:
            yield from places_in(one)


def filled(template: Any, values: Mapping[str, str | int]) -> Any:  # noqa: ANN401 - any JSON
    """Return the template with its places filled.

    A text that is one place has that value itself, so that a number stays a number. A field whose only place has no
    value (``""`` or 0) is left out.
    """
    if isinstance(template, str):
        alone = _PLACE.fullmatch(template)
        # All places at once: a citizen's name may look like a place.
        return values[alone.group(1)] if alone else _PLACE.sub(lambda found: str(values[found.group(1)]), template)
    if isinstance(template, Mapping):
        return {name: filled(one, values) for name, one in template.items() if not _is_empty(one, values)}
    if isinstance(template, list | tuple):
        return [filled(one, values) for one in template]
    return template


def _is_empty(template: object, values: Mapping[str, str | int]) -> bool:
    alone = _PLACE.fullmatch(template) if isinstance(template, str) else None
    return alone is not None and not values[alone.group(1)]


def at_path(document: Any, path: str) -> str:  # noqa: ANN401 - whatever a gateway answers
    """Return the text or number at a path such as ``messages.0.id``; "" if there is none."""
    found = document
    for name in path.split(".") if path else ():
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return ""
    if isinstance(found, bool) or not path:
        return ""
    return str(found) if isinstance(found, str | int | float) else ""
