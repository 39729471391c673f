"""Settings of ``[[sink]]``: a table of any kind. docs/sinks.md explains them."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.mqtt import MqttSink
from vetlla.settings.sinks.webhook import WebhookSink

SINKS_MAX = 32
"""Most sinks of one receiver: each reads every signal."""

Sink: TypeAlias = Annotated[WebhookSink | MqttSink | AutomationSink, Field(discriminator="kind")]
