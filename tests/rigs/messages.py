"""Requests by their names in messages, and checks of what the receiver answers."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from vetlla.receiver.control.schema import answers_of, kinds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pydantic import TypeAdapter

    from vetlla.receiver.control.messages.base import Message

_T = TypeVar("_T")

KINDS = kinds()
EXAMPLES: dict[str, dict[str, Any]] = {
    "queue.list": {},
    "queue.show": {"alarm": 1},
    "queue.claim": {},
    "queue.answer": {"alarm": 1},
    "queue.note": {"alarm": 1, "text": "has the keys"},
    "queue.close": {"alarm": 1, "outcome": "other"},
    "queue.handover": {"alarm": 1, "to": "berta"},
    "queue.escalate": {"alarm": 1},
    "queue.test": {"account": "1234", "seconds": 60},
    "queue.tests": {},
    "supervision.counts": {},
    "supervision.list": {},
    "supervision.show": {"account": "1234"},
    "supervision.incidents": {},
    "supervision.members": {"incident": 1},
    "supervision.pause": {"account": "1234", "reason": "installer on site"},
    "supervision.resume": {"account": "1234"},
    "sinks.list": {},
    "sinks.pause": {"sink": "city", "reason": "their server moves"},
    "sinks.resume": {"sink": "city"},
    "sinks.replay": {"sink": "city", "reason": "they lost a disk"},
    "sinks.unreplay": {"sink": "city"},
    "sinks.skip": {"sink": "city", "signal": 7, "reason": "they know of it"},
    "sinks.test": {"sink": "city"},
    "status": {},
    "outlook": {},
    "reload": {},
    "registry": {},
    "prune": {},
    "erase": {"home": "H-1"},
    "watch": {},
}
"""Each request with only its required arguments."""


def request_of(do: str, **arguments: object) -> Any:  # noqa: ANN401 - a request of any kind
    """Return a request as the receiver reads it from a line. Raises UsageError."""
    return KINDS[do].model_validate({"do": do, **arguments})


def texts_of(do: str) -> list[str]:
    """Return the arguments of a request that are texts."""
    properties = KINDS[do].model_json_schema()["properties"]
    forms = {name: form.get("anyOf", [form])[0] for name, form in properties.items() if name != "do"}
    return [name for name, form in forms.items() if form.get("type") == "string" and "enum" not in form]


@cache
def _form(kind: type[Message]) -> TypeAdapter[Any]:
    return answers_of(kind)


def checked(do: str, answer: _T) -> _T:
    """Return an answer or an event. Raises ValidationError if it differs from its model."""
    if do in KINDS:
        _form(KINDS[do]).validate_json(json.dumps(answer))
    return answer


async def each_checked(do: str, events: AsyncGenerator[_T, None]) -> AsyncGenerator[_T, None]:
    """Yield the events of a stream. Raises ValidationError if one differs from its model."""
    try:
        async for event in events:
            yield checked(do, event)
    finally:
        await events.aclose()
