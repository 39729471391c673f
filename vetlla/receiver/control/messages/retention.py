"""Messages about removals: of data that is too old, and of the data of a home that left."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.domain.removal import ProofFields
from vetlla.receiver.control.messages.arguments import Listed, Text, Words
from vetlla.receiver.control.messages.base import Stream, answer_form

ACCOUNTS_MAX = 1_000
"""Most accounts in one request: all under which one home ever reported."""

Accounts: TypeAlias = Annotated[
    Listed[str], Field(max_length=ACCOUNTS_MAX, description=f"a list of at most {ACCOUNTS_MAX} accounts")
]


@answer_form
class Removed(TypedDict):
    """How many rows of each kind were removed so far."""

    event: Literal["removed"]
    removed: dict[str, int]


@answer_form
class RoundDone(TypedDict):
    """The end of a round, with all counts."""

    event: Literal["done"]
    removed: dict[str, int]


@answer_form
class HomeErased(ProofFields):
    """The end of an erasure, with the record that proves it."""

    event: Literal["done"]


class PruneJournal(Stream[Removed | RoundDone]):
    """Remove now what is too old."""

    do: Literal["prune"] = "prune"


class EraseHome(Stream[Removed | HomeErased]):
    """Erase what the journal keeps of a home."""

    do: Literal["erase"] = "erase"
    home: Text
    accounts: Accounts = ()
    others: Accounts = ()
    """Accounts that now belong to another home."""
    by: Words = ""
    """The person who used sudo, if the command knows that person."""
    registry: dict[str, int] = Field(default_factory=dict)
    """How many rows of each kind the registry loses at the same time, for the audit."""
