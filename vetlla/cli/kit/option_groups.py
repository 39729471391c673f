"""Options that several commands share as one value: a NamedTuple whose fields are options.

A command that takes such a value under ``@with_option_groups`` has an option for each field, at the value's place in
the help. Typer itself knows only one option for one parameter. A command that needs a little less than a group takes
``Annotated[Group, Instead(name=None)]``.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Instead", "with_option_groups"]


class Instead:
    """Beside a group in ``Annotated``: other options for fields of it, or none (None), which leaves the default."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - annotations
        self.options = options


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the options of its NamedTuples in place of these parameters."""
    signature = inspect.signature(command, eval_str=True)
    groups = {name: found for name, one in signature.parameters.items() if (found := _group(one.annotation))}

    @wraps(command)
    def call(**given: object) -> None:
        for name, (group, options) in groups.items():
            given[name] = group(**{option: given.pop(option) for option in options})
        command(**given)

    parameters = [option for one in signature.parameters.values() for option in _parameters(one, groups)]
    call.__annotations__ = {option.name: option.annotation for option in parameters}
    vars(call)["__signature__"] = signature.replace(parameters=parameters)
    return call


def _group(annotation: Any) -> tuple[Any, dict[str, Any]] | None:  # noqa: ANN401 - an annotation need not be a class
    """Return the NamedTuple that an annotation names, with the option of each field; None for another annotation."""
    named = get_origin(annotation) is Annotated
    group, *beside = get_args(annotation) if named else (annotation,)
    if not (isinstance(group, type) and issubclass(group, tuple) and hasattr(group, "_fields")):
        return None
    options = get_type_hints(group, include_extras=True)
    for one in beside:
        options |= one.options
    return group, {name: option for name, option in options.items() if option is not None}


def _parameters(
    parameter: inspect.Parameter, groups: Mapping[str, tuple[Any, dict[str, Any]]]
) -> Iterator[inspect.Parameter]:
    """Yield the parameters that typer reads: those of a group, or the parameter itself."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    if parameter.name not in groups:
        yield parameter.replace(kind=keyword)
        return
    group, options = groups[parameter.name]
    for name, annotation in options.items():
        default = group._field_defaults.get(name, inspect.Parameter.empty)
        yield inspect.Parameter(name, keyword, default=default, annotation=annotation)
