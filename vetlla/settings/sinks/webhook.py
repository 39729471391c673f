"""Settings of a ``[[sink]]`` that posts signals to a web server."""

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from vetlla.settings.section import SHORTEST_S, AbsolutePath, Secret, WholeUrl, is_here
from vetlla.settings.sinks.common import CommonSink

BATCH_SIGNALS_MAX = 1_000
"""Most signals of one request: half a mebibyte as JSON, and 10 ms of the event loop."""
BATCH_KIB_MAX = 16_384
"""Largest body in kibibytes; few servers take more than 16 MiB."""
REQUEST_MAX_S = 120
"""Longest time of a request in seconds; the signals behind it wait for it, and gateways cut requests earlier."""
RequestTime: TypeAlias = Annotated[float, Field(ge=SHORTEST_S, le=REQUEST_MAX_S)]


class WebhookSink(CommonSink):
    """One address to which signals are posted as JSON, signed as Standard Webhooks says."""

    kind: Literal["webhook"]
    url: WholeUrl
    key_files: Annotated[tuple[Secret, ...], Field(min_length=1, max_length=2)]
    """Files with the keys of the signature in base64; two while one replaces the other."""
    token_file: Secret | None = None
    """File with a token for the header ``Authorization: Bearer``."""
    ca: AbsolutePath | None = None
    """Authority that issued the server's certificate; those of the system if it is missing."""
    allow_http: bool = False
    """Whether signals may be sent in clear to another machine."""
    batch_signals: Annotated[int, Field(ge=1, le=BATCH_SIGNALS_MAX)] = 100
    """Most signals of one request."""
    batch_kib: Annotated[int, Field(ge=1, le=BATCH_KIB_MAX)] = 256
    """Largest body in kibibytes, unless one signal alone is larger."""
    connect_s: RequestTime = 10
    """Longest time until a connection is open."""
    answer_s: RequestTime = 30
    """Longest time of a whole request."""

    @model_validator(mode="after")
    def _encrypted(self) -> "WebhookSink":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_http and not is_here(parts.hostname or ""):
            raise ValueError("should begin with https, or set allow_http = true: signals are personal data")
        return self
