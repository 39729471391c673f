"""The user who asks over the control socket, and the roles that the user has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import AccessError

if TYPE_CHECKING:
    from vetlla.settings.surfaces import ControlSettings


class User(NamedTuple):
    """The user at the other end, as the kernel names them."""

    name: str
    groups: frozenset[str]
    ours: bool
    """True for the receiver's own user and for root, who have every role."""


class Caller(NamedTuple):
    """The user who asks, and what they may do."""

    operator: str
    supervisor: bool
    engineer: bool
    works_alarms: bool = True
    """False for an engineer who is neither operator nor supervisor."""


def admit(user: User, settings: ControlSettings) -> Caller:
    """Return a user's roles. Raises AccessError for a user who has none.

    If a role has no group, every operator has it. If operators have no group, every user of the socket is an operator.
    """

    def member(group: str | None) -> bool:
        return group is not None and group in user.groups

    operator = user.ours or settings.operators is None or member(settings.operators)
    supervisor = member(settings.supervisors) or (operator and (user.ours or settings.supervisors is None))
    engineer = member(settings.engineers) or (operator and (user.ours or settings.engineers is None))
    if not (operator or supervisor or engineer):
        stranger = Caller(user.name, supervisor, engineer, works_alarms=False)
        raise refused(stranger, "ask this receiver", settings.operators, settings.supervisors, settings.engineers)
    return Caller(user.name, supervisor, engineer, works_alarms=operator or supervisor)


def refused(caller: Caller, deed: str, *groups: str | None) -> AccessError:
    """Return the error for a caller who may not do something that members of the groups may do."""
    first, *others = dict.fromkeys(filter(None, groups))
    more = "".join(f", or group {group}" for group in others)
    return AccessError(f"{caller.operator} may not {deed}", remedy=f"sudo usermod -aG {first} {caller.operator}{more}")
