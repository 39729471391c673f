"""The server to which providers deliver: each delivery is on the disk before the provider gets its receipt."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from aiohttp import web

from vetlla.domain.errors import ConfigError
from vetlla.gateways.hooks import BODY_BYTES
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.settings.reminders.model import WebhookSettings

ALIVE: Final = "/healthz"
"""Answers "ok", so that a monitor sees that the process and the proxy in front of it work."""
SHUTDOWN_S: Final = 5.0
"""Longest wait at the end for deliveries under way; providers repeat what got no receipt."""


class WebhookServer:
    """Serves the webhooks of all channels."""

    def __init__(self, settings: WebhookSettings, routes: Iterable[web.RouteDef]) -> None:
        self._settings = settings
        self._routes = [web.get(ALIVE, _alive), *routes]
        self._runner: web.AppRunner | None = None
        self.address = ""
        """HOST:PORT at which it listens."""

    async def start(self) -> None:
        """Listen; port 0 picks a free one. Raises ConfigError if the address or the certificate cannot be used."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.add_routes(self._routes)
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        self._runner = runner
        settings = self._settings
        where = spelled(settings.host, settings.port)
        try:
            await web.TCPSite(runner, settings.host, settings.port, ssl_context=self._tls()).start()
        except OSError as error:
            raise ConfigError(
                f"webhooks: cannot listen on {where}: {error.strerror or error}",
                remedy="choose another webhooks.port, or stop the program that has it",
            ) from error
        host, port = runner.addresses[0][:2]
        self.address = spelled(host, port)

    async def close(self) -> None:
        """Stop listening, after the deliveries under way."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _tls(self) -> ssl.SSLContext | None:
        given = self._settings.tls
        if given is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(given.certificate, given.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"webhooks: {given.certificate} and {given.key}: {error}",
                remedy="give a certificate chain in PEM and its key",
            ) from error
        return context


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")
