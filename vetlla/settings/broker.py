"""``[[mqtt]]``: the brokers a receiver takes messages from, and how it is known to them."""

from typing import Annotated

from pydantic import Field, model_validator

from vetlla.settings.section import AbsolutePath, Host, Section, Wait, Word, spelled

SHARED_SESSION_S = 10
"""A shared session outlives its connection no longer: Mosquitto 2.0.11 goes on dealing events to one that is away,
and a terminal gives its ARC 20 s before it uses another path (docs/protocols/mqtt.md, section 4)."""


class BrokerTls(Section):
    """How the broker is known by its certificate, and the receiver by its own, PEM."""

    ca: AbsolutePath
    """Authority that the broker's certificate is of."""
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
    """How logs, metrics and signals call this broker."""
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """This receiver's client id and place in the topics: its own for each receiver, the same after each restart."""
    tls: BrokerTls | None = None
    username: Word | None = None
    password_file: AbsolutePath | None = None
    """File whose first line is the password, readable by the receiver alone."""
    share: Annotated[str, Field(pattern=r"^[^/+#\s\x00-\x1f\x7f]{1,64}$")] | None = None
    """Group of receivers that share the events, each going to one of them; heartbeats and states go to all."""
    session_expiry_s: Annotated[int, Field(ge=60, le=2**32 - 1)] = 86_400
    """How long the broker keeps messages for a receiver that is away; one that shares: ``SHARED_SESSION_S`` at most."""
    keepalive_s: Annotated[int, Field(ge=5, le=65535)] = 30
    """How soon a connection that is silent is known to be dead: after one and a half times this."""
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 1_000
    """Messages that the broker may have under way until they are committed: as many as one transaction takes."""
    retry_max_s: Wait = 15
    """Longest pause between two attempts to reach the broker."""

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)

    @property
    def session_s(self) -> int:
        """Return how long the broker is asked to keep the session of a receiver that is away."""
        return min(self.session_expiry_s, SHARED_SESSION_S) if self.share else self.session_expiry_s

    @model_validator(mode="after")
    def _password_of_a_user(self) -> "Mqtt":
        if self.password_file and not self.username:
            raise ValueError("password_file needs a username")
        return self
