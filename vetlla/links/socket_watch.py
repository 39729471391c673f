"""paho's socket in an event loop, with the same behaviour under asyncio and uvloop.

A plain ``add_reader`` is not enough. uvloop silently drops such a watch when the peer resets the connection (libuv
reports POLLERR as a bad descriptor), so that only the next keep-alive noticed a killed broker. It also delays
``add_writer`` to the loop's next turn, when the descriptor may be closed, or belong to another connection. Tests that
killed brokers found both (``chaos_mqtt.py``). Here the socket is in an epoll set of its own, and the loop watches that
set, which becomes readable after any event of the socket.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from paho.mqtt.client import Client

MISC_S: Final = 1.0
"""How often paho checks its keep-alive."""
PACKETS: Final = 50
"""Most packets in one turn of the loop. Then their acknowledgements are sent, and other connections have their turn."""
_READ: Final = select.EPOLLIN | select.EPOLLRDHUP


class SocketWatch:
    """Calls paho when its socket can be read or written, until paho closes the socket or ``close`` is called."""

    def __init__(self, paho: Client, wire: socket.socket, failed: Callable[[Exception], None]) -> None:
        """Watch the socket of a client that has just connected.

        ``failed`` is called when paho raises an error while it reads or writes.
        """
        self._loop = asyncio.get_running_loop()
        self._paho = paho
        self._wire = wire
        self._failed = failed
        self._is_open = True
        paho.on_socket_close = lambda *_: self._end()
        paho.on_socket_register_write = lambda *_: self._watch(_READ | select.EPOLLOUT)
        paho.on_socket_unregister_write = lambda *_: self._watch(_READ)
        self._epoll = select.epoll()
        self._epoll.register(wire.fileno(), _READ | (select.EPOLLOUT if paho.want_write() else 0))
        self._loop.add_reader(self._epoll.fileno(), self._ready)
        self._misc = self._loop.create_task(self._keep_alive())

    def close(self) -> None:
        """Close the socket, even if paho still has something to write."""
        if self._is_open:
            self._end()
            self._wire.close()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._misc.cancel()

    def _watch(self, events: int) -> None:
        if self._is_open:
            self._epoll.modify(self._wire.fileno(), events)

    # --- what the loop calls ----------------------------------------------------------------------------------------

    def _ready(self) -> None:
        try:
            for _ in range(PACKETS):
                if not self._has_input():
                    break
                self._paho.loop_read()
            if self._is_open:
                self._paho.loop_write()
            if self._is_open and self._is_decrypted():
                self._loop.call_soon(self._ready)
        except Exception as error:  # noqa: BLE001 - paho may raise any error on a broken packet
            self._failed(error)

    def _has_input(self) -> bool:
        if not self._is_open:
            return False
        seen = self._epoll.poll(0, 1)
        return (bool(seen) and seen[0][1] != select.EPOLLOUT) or self._is_decrypted()

    def _is_decrypted(self) -> bool:
        """Return True if bytes were already decrypted, which no descriptor shows."""
        return isinstance(self._wire, ssl.SSLSocket) and self._wire.pending() > 0

    async def _keep_alive(self) -> None:
        while self._paho.loop_misc() == 0:  # noqa: ASYNC110 - paho has no other timer
            await asyncio.sleep(MISC_S)
