"""The JSON schema of all messages of the control socket; ``make schema`` writes it to ``docs/control.schema.json``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from vetlla.receiver.control.messages import queue, receiver, retention, sinks, supervision, watch
from vetlla.receiver.control.messages.base import Failure, Message, Stream, Success

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECTS = (queue, supervision, sinks, receiver, retention, watch)


def kinds() -> dict[str, type[Message]]:
    """Return the kinds of requests by their names in messages."""
    return {kind.wire_name(): kind for subject in SUBJECTS for kind in vars(subject).values() if _is_a_kind(kind)}


def _is_a_kind(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Message) and isinstance(one.model_fields["do"].default, str)


def answers_of(kind: type[Message]) -> TypeAdapter[Any]:
    """Return the adapter that checks an answer to a kind of request, or one event of a stream."""
    given = (base.__pydantic_generic_metadata__["args"] for base in kind.__mro__ if issubclass(base, Message))
    (answer,) = next(filter(None, given))
    return TypeAdapter(answer)


class WithoutTitles(GenerateJsonSchema):
    """Leaves out titles, because the title of a field only repeats its name."""

    def field_title_should_be_set(self, _: object) -> bool:
        """Return False: no field has a title."""
        return False


def document() -> dict[str, Any]:
    """Return the schema: the forms of all requests and answers, by the name of the request."""
    adapters = dict(_adapters())
    found, definitions = TypeAdapter.json_schemas(
        [(key, "validation", adapter) for key, adapter in adapters.items()], schema_generator=WithoutTitles
    )
    forms: dict[str, dict[str, Any]] = {}
    for (name, role), _ in found:
        forms.setdefault(name, {})[role] = found[(name, role), "validation"]
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Vetlla's control socket",
        "description": "A line that a client sends. For each request, `messages` has its form and that of its answer or"
        " events; `line` has the forms of the line that holds an answer. docs/control.md explains the protocol.",
        "oneOf": [forms[name]["request"] for name in kinds()],
        "line": forms.pop("line"),
        "messages": forms,
        **definitions,
    }


def _adapters() -> Iterator[tuple[tuple[str, str], TypeAdapter[Any]]]:
    yield ("line", "success"), TypeAdapter(Success)
    yield ("line", "failure"), TypeAdapter(Failure)
    for name, kind in kinds().items():
        yield (name, "request"), TypeAdapter(kind)
        yield (name, "event" if issubclass(kind, Stream) else "answer"), answers_of(kind)


def text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
