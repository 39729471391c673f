"""Settings of ``[[mqtt]]``: the brokers from which a receiver takes messages, and its identity there."""

from typing import Annotated

from pydantic import Field, model_validator

from vetlla.settings.section import AbsolutePath, Host, Section, Wait, Word, spelled

SHARED_SESSION_S = 10
"""Longest time that a shared session outlives its connection. Mosquitto 2.0.11 still sends events to a receiver that is
away, and a terminal waits 20 s for its ARC before it uses another path (docs/protocols/mqtt.md, section 4)."""


class BrokerTls(Section):
    """PEM files with which broker and receiver check each other's certificate."""

    ca: AbsolutePath
    """Authority that issued the broker's certificate."""
    certificate: AbsolutePath | None = None
    key: AbsolutePath | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> "BrokerTls":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        return self


class Mqtt(Section):
    """One broker."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "mqtt"
    """Name of this broker in logs, metrics and signals."""
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """This receiver's client id and part of the topics: unique to each receiver, the same after each restart."""
    tls: BrokerTls | None = None
    username: Word | None = None
    password_file: AbsolutePath | None = None
    """File whose first line is the password, readable by the receiver alone."""
    share: Annotated[str, Field(pattern=r"^[^/+#\s\x00-\x1f\x7f]{1,64}$")] | None = None
    """Group of receivers that share the events: each event goes to one of them, heartbeats and states go to all."""
    session_expiry_s: Annotated[int, Field(ge=60, le=2**32 - 1)] = 86_400
    """How long the broker keeps messages for a receiver that is away; with ``share`` at most ``SHARED_SESSION_S``."""
    keepalive_s: Annotated[int, Field(ge=5, le=65535)] = 30
    """A silent connection counts as dead after one and a half times this."""
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 1_000
    """Messages that the broker may send before they are committed; the default is what one transaction takes."""
    retry_max_s: Wait = 15
    """Longest pause between two attempts to reach the broker."""

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)

    @property
    def session_s(self) -> int:
        """Return how long the broker shall keep the session of a receiver that is away."""
        return min(self.session_expiry_s, SHARED_SESSION_S) if self.share else self.session_expiry_s

    @model_validator(mode="after")
    def _password_of_a_user(self) -> "Mqtt":
        if self.password_file and not self.username:
            raise ValueError("password_file needs a username")
        return self
