"""Listens to a line: passes its bytes on to the program behind it if there is one, and shows each chunk of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.links.wire.contract import Wire


class Tap:
    """Two wires that are one line: ``near`` goes to the receiver, ``far`` to the program that answers it."""

    def __init__(
        self,
        seen: Callable[[bytes, bool], None],
        opened: Callable[[str], None],
        answer: Callable[[bytes], bytes] = lambda _data: b"",
    ) -> None:
        """Take a function that is called with each chunk, and True for one that goes to the receiver.

        ``opened`` is called with the address when the receiver's wire is open. ``answer`` returns what the tap itself
        sends to the receiver for a chunk; b"" sends nothing.
        """
        self._seen = seen
        self._answer = answer
        self.near = _End(self._from_receiver, opened)
        self.far = _End(self._from_program, lambda _address: None)

    def _from_receiver(self, data: bytes) -> None:
        self._seen(data, False)  # noqa: FBT003 the callback has two parameters
        self.far.write(data)
        if answer := self._answer(data):
            self._from_program(answer)

    def _from_program(self, data: bytes) -> None:
        self._seen(data, True)  # noqa: FBT003 the callback has two parameters
        self.near.write(data)


class _End:
    """The user of one wire. Bytes for a wire that is not open are dropped, as on a line without a peer."""

    def __init__(self, taken: Callable[[bytes], None], told_open: Callable[[str], None]) -> None:
        self._taken = taken
        self._told_open = told_open
        self._wire: Wire | None = None

    def write(self, data: bytes) -> None:
        if self._wire is not None:
            self._wire.write(data)

    def opened(self, wire: Wire) -> None:
        self._wire = wire
        self._told_open(wire.address)

    def received(self, data: bytes) -> None:
        self._taken(data)

    def closed(self, _why: str) -> None:
        self._wire = None
