"""Five families of errors with one root class.

Bytes from a peer never raise an error (a ``Reject`` is a value). An error is about the operator, the disk, the network
or the program.
"""

from __future__ import annotations


class VetllaError(Exception):
    """Root of all errors that Vetlla raises on purpose. ``remedy`` says what to do next."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  -> {self.remedy}" if self.remedy else message


class ConfigError(VetllaError):
    """The configuration cannot be used: the message names file, key and remedy (exit status 78)."""


class StoreError(VetllaError):
    """The store cannot do this (disk, permission, schema); ``__cause__`` holds the original error (exit 74)."""


class LinkError(VetllaError):
    """The other side (daemon, transport or sink) cannot be reached or closed the connection; try again (exit 69)."""


class UsageError(VetllaError):
    """The call cannot be carried out: an argument is wrong, a name is unknown, or it is not allowed now (exit 64)."""


class AccessError(VetllaError):
    """The user may not do this: the remedy names a user who may, or how to get the permission (exit status 77)."""
