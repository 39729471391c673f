"""What a terminal sends in clear to a port for TLS: it is not acknowledged, but put before an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from vetlla.domain.signals import Arrival, Hangup, Signal
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Item
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.listen import Listen

log = structlog.get_logger()


class ReportInClear:
    """Reads what a terminal sends in clear to a port for TLS. An operator must know, as all its reports are lost."""

    def __init__(
        self,
        listen: Listen,
        services: SessionServices,
        make_decoder: Callable[[], Decoder],
        address: tuple[str, int],
        established: Instant,
    ) -> None:
        self._listen = listen
        self._services = services
        self._make_decoder = make_decoder
        self._peer = spelled(*address)
        self._established = established
        self._received = b""
        self._items: list[Item] = []
        self._decoder: Decoder | None = None
        self._is_broken = False
        """True after the decoder has raised an exception; it is not called again."""

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; return True if they hold a report, or if the decoder expects no report."""
        self._received += data
        self._read(data)
        return self._is_broken or any(isinstance(item, (Signal, Hangup)) for item in self._items)

    def end(self) -> None:
        """Put before an operator what the terminal has sent."""
        if not self._received:
            return
        if not self._is_broken:
            self._read(None)
        listen, services = self._listen, self._services
        arrival = Arrival(listen.name, "tcp", self._peer, self._established, services.clock.now())
        services.intake.in_clear.turn_away(arrival, listen.protocol, self._received, self._items)

    def _read(self, data: bytes | None) -> None:
        """Give the decoder these bytes; None means that the input has ended."""
        try:
            decoder = self._decoder = self._decoder or self._make_decoder()
            self._items += decoder.finish() if data is None else decoder.feed(data)
        except Exception:
            # The fault may be in a third party's decoder. The bytes are put before an operator anyway.
            log.exception("decoder.failed", protocol=self._listen.protocol, peer=self._peer)
            self._is_broken = True
