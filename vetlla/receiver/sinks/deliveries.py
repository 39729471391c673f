"""Makes the delivery of each kind of sink from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.receiver.sinks.automation import AutomationDelivery
from vetlla.receiver.sinks.mqtt import MqttDelivery
from vetlla.receiver.sinks.webhook import WebhookDelivery
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.mqtt import MqttSink

if TYPE_CHECKING:
    from vetlla.domain.clock import Clock
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.settings.sinks.model import Sink


def delivery_of(settings: Sink, clock: Clock) -> SinkDelivery:
    """Return what speaks with the peer of a sink. It reads no file and connects to nothing yet."""
    if isinstance(settings, AutomationSink):
        return AutomationDelivery(settings)
    if isinstance(settings, MqttSink):
        return MqttDelivery(settings)
    return WebhookDelivery(settings, clock)
