"""Options that several commands share as one value: a NamedTuple whose fields are options.

A command that takes such a value under ``@with_option_groups`` has an option for each field, at the value's place in
the help. Typer itself knows only one option for one parameter.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["with_option_groups"]


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the options of its NamedTuples in place of these parameters."""
    signature = inspect.signature(command, eval_str=True)
    groups = {name: one.annotation for name, one in signature.parameters.items() if _is_group(one.annotation)}

    @wraps(command)
    def call(**given: object) -> None:
        for name, group in groups.items():
            given[name] = group(**{option: given.pop(option) for option in group._fields})
        command(**given)

    options = [option for one in signature.parameters.values() for option in _options(one)]
    call.__annotations__ = {option.name: option.annotation for option in options}
    vars(call)["__signature__"] = signature.replace(parameters=options)
    return call


def _is_group(annotation: Any) -> bool:  # noqa: ANN401 - an annotation need not be a class
    return isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields")


def _options(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yield the parameters that typer reads: those of a group, or the parameter itself."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    if not _is_group(parameter.annotation):
        yield parameter.replace(kind=keyword)
        return
    group = parameter.annotation
    for name, annotation in get_type_hints(group, include_extras=True).items():
        default = group._field_defaults.get(name, inspect.Parameter.empty)
        yield inspect.Parameter(name, keyword, default=default, annotation=annotation)
