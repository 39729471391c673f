"""Five families of errors, one root. Each class's docstring begins with the sentence its message begins with.

What a peer sends never raises (a ``Reject`` is a value); these are for the operator, the disk, the network and us.
"""

from __future__ import annotations


class VetllaError(Exception):
    """Root of all errors that Vetlla raises on purpose. ``remedy`` tells the reader what to do next."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  -> {self.remedy}" if self.remedy else message


class ConfigError(VetllaError):
    """The configuration cannot be used: the message names file, key and remedy (exit status 78)."""


class StoreError(VetllaError):
    """The store cannot do what was asked: disk, permission, schema; ``__cause__`` holds the original (exit 74)."""


class LinkError(VetllaError):
    """The other side cannot be reached or hung up: daemon, transport or sink; worth another try (exit 69)."""


class UsageError(VetllaError):
    """The call makes no sense as given: wrong argument, unknown name, not allowed now (exit 64)."""


class AccessError(VetllaError):
    """The user may not do this: the remedy names who may, or how to become one who may (exit status 77)."""
