"""Settings of a ``[[sink]]`` that publishes signals at an MQTT broker."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vetlla.settings.broker import BrokerTls
from vetlla.settings.section import AbsolutePath, Host, Word, spelled
from vetlla.settings.sinks.common import CommonSink


class MqttSink(CommonSink):
    """One broker, with the topics under which signals are published."""

    kind: Literal["mqtt"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        default_factory=lambda data: f"vetlla-{data['name']}"[:64]
    )
    """Identity at the broker: unique to each sink, and another than ``node`` of ``[[mqtt]]``."""
    tls: BrokerTls | None = None
    username: Word | None = None
    password_file: AbsolutePath | None = None
    """File whose first line is the password, readable by the receiver alone."""
    keepalive_s: Annotated[int, Field(ge=5, le=65535)] = 30
    """A silent connection counts as dead after one and a half times this."""
    topics: Annotated[str, Field(pattern=r"^[^+#$\s\x00-\x1f\x7f/][^+#\s\x00-\x1f\x7f]{0,127}$")] = "vetlla/1"
    """Beginning of each topic."""
    needs_subscriber: bool = True
    """Whether a signal waits while no client is subscribed to its topic; if not, the broker drops it."""

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)

    @model_validator(mode="after")
    def _password_of_a_user(self) -> "MqttSink":
        if self.password_file and not self.username:
            raise ValueError("password_file needs a username")
        return self
