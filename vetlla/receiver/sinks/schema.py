"""The JSON schema of what sinks send; ``make schema`` writes it to ``docs/onward.schema.json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from vetlla.receiver.control.schema import WithoutTitles
from vetlla.receiver.sinks.message import SignalMessage, SignalsMessage


def document() -> dict[str, Any]:
    """Return the schema: the message of a webhook, or that of an MQTT topic."""
    webhook, mqtt = TypeAdapter[Any](SignalsMessage), TypeAdapter[Any](SignalMessage)
    found, definitions = TypeAdapter.json_schemas(
        [("webhook", "validation", webhook), ("mqtt", "validation", mqtt)], schema_generator=WithoutTitles
    )
    return {
        "$schema": WithoutTitles.schema_dialect,
        "title": "What Vetlla's sinks send, version 1",
        "description": "A webhook posts `signals`; under a topic of MQTT one `signal` is published. docs/sinks.md"
        " explains both. Ignore fields that you do not know.",
        "oneOf": [found["webhook", "validation"], found["mqtt", "validation"]],
        **definitions,
    }


def text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
