"""paho's socket in the receiver's event loop, with the same behaviour under asyncio and uvloop.

aiomqtt watches the socket itself with ``add_reader``. uvloop silently drops such a watch when the peer resets the
connection (libuv reports POLLERR as a bad descriptor), so that only the next keep-alive noticed a killed broker. It
also delays ``add_writer`` to the loop's next turn, when the descriptor may be closed, or belong to another connection.
Tests that killed brokers found both (``chaos_mqtt.py``). Here the socket is in an epoll set of its own, and the loop
watches that set: it becomes readable whatever happens to the socket.
"""

from __future__ import annotations

import asyncio
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import Client as Paho

MISC_S: Final = 1.0
"""How often paho checks its keep-alive."""
READ_BYTES: Final = 16_384
"""Bytes that are read at once: some hundred heartbeats."""
PACKETS: Final = 50
"""Packets of a turn; then their acknowledgements are sent, and other connections have their turn."""
_READ: Final = select.EPOLLIN | select.EPOLLRDHUP


class SocketWatch:
    """Takes the place of aiomqtt's four hooks on paho's socket. One for each connection."""

    def __init__(self, paho: Paho, failed: Callable[[Exception], None]) -> None:
        """``failed`` is called when paho raises an error while it reads or writes."""
        self._loop = asyncio.get_running_loop()
        self._paho = paho
        self._failed = failed
        self._epoll: select.epoll | None = None
        self._wire: Any = None
        self._misc: asyncio.Task[None] | None = None
        self._came = b""
        """Bytes that were read but not yet requested: without them paho needs three or more system calls a packet."""
        self._receive: Callable[[int], bytes] = paho._sock_recv  # noqa: SLF001 - paho has no buffer of its own
        vars(paho)["_sock_recv"] = self._read
        paho.on_socket_open = self._opened
        paho.on_socket_close = self._closed
        paho.on_socket_register_write = self._wants_to_write
        paho.on_socket_unregister_write = self._has_written

    # --- hooks that paho calls: first from the thread that connects, then from the loop's ---------------------------

    def _opened(self, _client: Paho, _data: object, wire: Any) -> None:  # noqa: ANN401 - a socket, plain or TLS
        self._wire = wire
        self._came = b""
        self._epoll = select.epoll()
        self._epoll.register(wire.fileno(), _READ)
        self._loop.call_soon_threadsafe(self._begin, self._epoll)

    def _begin(self, epoll: select.epoll) -> None:
        if self._epoll is epoll:  # it may be closed again already
            self._loop.add_reader(epoll.fileno(), self._ready)
            self._misc = self._loop.create_task(self._keep_alive())

    def _closed(self, _client: Paho, _data: object, _wire: object) -> None:
        epoll, self._epoll, self._wire = self._epoll, None, None
        if epoll is not None:
            self._loop.call_soon_threadsafe(self._end, epoll)

    def _end(self, epoll: select.epoll) -> None:
        # The descriptor cannot have been reused yet, because the epoll set is closed only here.
        self._loop.remove_reader(epoll.fileno())
        epoll.close()
        if self._misc is not None:
            self._misc.cancel()

    def _wants_to_write(self, _client: Paho, _data: object, wire: Any) -> None:  # noqa: ANN401 - see above
        self._watch(wire, _READ | select.EPOLLOUT)

    def _has_written(self, _client: Paho, _data: object, wire: Any) -> None:  # noqa: ANN401 - see above
        self._watch(wire, _READ)

    def _watch(self, wire: Any, events: int) -> None:  # noqa: ANN401 - see above
        if self._epoll is not None and wire is self._wire:
            with suppress(OSError, ValueError):  # paho may have closed it in this step
                self._epoll.modify(wire.fileno(), events)

    # --- methods that the loop calls --------------------------------------------------------------------------------

    def _ready(self) -> None:
        try:
            if self._paho.want_write():
                self._paho.loop_write()
            self._paho.loop_read()
            for _ in range(PACKETS):
                if not self._came or self._wire is None:
                    break
                self._paho.loop_read()
            if self._came and self._wire is not None:
                self._loop.call_soon(self._ready)  # no descriptor shows bytes that were already read
            if self._paho.want_write():
                self._paho.loop_write()
            while not self._came and self._wire is not None and getattr(self._wire, "pending", int)() > 0:
                self._paho.loop_read()  # no descriptor shows bytes that were already decrypted
        except Exception as error:  # noqa: BLE001 - paho may raise any error on a broken packet
            self._failed(error)

    def _read(self, size: int) -> bytes:
        if not self._came:
            self._came = self._receive(READ_BYTES)
        data, self._came = self._came[:size], self._came[size:]
        return data

    async def _keep_alive(self) -> None:
        while self._paho.loop_misc() == 0:  # noqa: ASYNC110 - paho has no other timer
            await asyncio.sleep(MISC_S)
