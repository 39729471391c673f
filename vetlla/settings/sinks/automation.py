"""Settings of a ``[[sink]]`` that reports to other automation software as a line receiver does."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vetlla.settings.line import Accept, Connect, SerialLine, place_of
from vetlla.settings.section import Wait
from vetlla.settings.sinks.common import CommonSink


class AutomationSink(CommonSink):
    """One port of automation software, to which Vetlla is a line receiver."""

    kind: Literal["automation"]
    protocol: Literal["surgard", "ademco685", "radionics6500"] = "surgard"
    serial: SerialLine | None = None
    connect: Connect | None = None
    accept: Accept | None = None
    receiver: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,2}$")] = "1"
    """Receiver number of all messages."""
    line: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,7}$")] = "1"
    """Line number of all messages."""
    as_received: bool = False
    """Whether messages have the receiver and line number of their report instead, where these can be written."""
    line_width: Annotated[int, Field(ge=1, le=7)] | None = None
    """Characters of the line field; the usual width of the protocol if it is missing."""
    account_width: Annotated[int, Field(ge=4, le=8)] | None = None
    """Characters of the account; a shorter account is filled up with zeros."""
    end: Literal["dc4", "cr", "lf", "crlf", "none"] | None = None
    """End of each message; the usual one of the protocol if it is missing."""
    header: bool = False
    """Whether each message has a B32 header."""
    other_account: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{4,8})?$")] = "0000"
    """Account of messages whose own account cannot be written; empty lets such a message block the sink."""
    answer_s: Annotated[float, Field(ge=0.05, le=9.9)] = 4
    """How long an answer is waited for before a message is sent again."""
    tries: Annotated[int, Field(ge=1, le=99)] = 4
    """How often a message is sent without an answer before the software counts as absent."""
    heartbeat_s: Annotated[float, Field(ge=0.05, le=99)] = 30
    """Time without a message after which a heartbeat is sent; while the software is absent, only heartbeats are."""
    retry_max_s: Wait = 5
    """Longest pause between two attempts."""

    @property
    def address(self) -> str:
        """Return the device, or ``HOST:PORT``."""
        return place_of(self.serial, self.connect, self.accept)

    @model_validator(mode="after")
    def _one_way(self) -> "AutomationSink":
        if sum(way is not None for way in (self.serial, self.connect, self.accept)) != 1:
            raise ValueError("should have one of serial, connect and accept")
        return self
