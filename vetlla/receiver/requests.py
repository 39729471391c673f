"""Answers the requests about the receiver itself: its status, its outlook, and the order to read files again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.receiver.control.messages.receiver import ReloadAll, ReloadRegistry, ShowOutlook, ShowStatus
from vetlla.receiver.control.roles import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vetlla.domain.errors import VetllaError
    from vetlla.receiver.control.messages.base import Route
    from vetlla.receiver.control.messages.receiver import Outlook, RegistryRead
    from vetlla.receiver.control.roles import Caller
    from vetlla.receiver.monitoring.status import View
    from vetlla.receiver.reload import Reload


class ReceiverRequests:
    """The requests about one receiver."""

    def __init__(self, reload: Reload, view: View, *, accounts: Callable[[], int]) -> None:
        """Take what reloads and what shows the receiver; ``accounts`` counts the accounts in force."""
        self._reload = reload
        self._view = view
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """Return the route of each kind of request."""
        return [
            ShowStatus.answered_by(self._view.status),
            ShowOutlook.answered_by(self._outlook),
            ReloadAll.answered_by(self._reload_all),
            ReloadRegistry.answered_by(self._reload_registry),
        ]

    async def _outlook(self, _: ShowOutlook, __: Caller) -> Outlook:
        return await self._reload.outlook()

    async def _reload_all(self, _: ReloadAll, caller: Caller) -> RegistryRead:
        return await self._read(caller, self._reload.configuration)

    async def _reload_registry(self, _: ReloadRegistry, caller: Caller) -> RegistryRead:
        return await self._read(caller, self._reload.registry)

    async def _read(self, caller: Caller, read: Callable[[], Awaitable[VetllaError | None]]) -> RegistryRead:
        settings = self._reload.settings
        if not caller.engineer:
            raise refused(caller, "reload the configuration", settings.control.engineers)
        if (failure := await read()) is not None:
            raise failure
        return {"accounts": self._accounts(), "keys_file": str(settings.keys_file)}
