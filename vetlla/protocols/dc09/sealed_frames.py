"""Decides what the receiver believes of a DC-09 frame: whether it is unchanged, and whose it is.

Of a sealed frame only the sealed text is evidence, because token, number and account are not encrypted and the cipher
has no checksum. A frame that looks changed is reported as unreadable, and a call in it is reported, too. If no key
opens a frame, or if its data name another account that has the same key, it is refused and operators see it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import Kind, Phase, Reason, Reply
from vetlla.protocols.dc09.frame import BAD_TAIL, NAME, envelope
from vetlla.protocols.dc09.header import account_in, echo
from vetlla.protocols.dc09.reports import HEARTBEATS
from vetlla.protocols.dc09.sealing import CONTROLS, LONG_PAD
from vetlla.protocols.framing.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.signals import AccountId, Event, Item, Key
    from vetlla.protocols.dc09.frame import Frame
    from vetlla.protocols.decoder import KeyLookup

CALLS: Final = frozenset({
    Kind.PERSONAL_EMERGENCY, Kind.FALL, Kind.INACTIVITY, Kind.SMOKE, Kind.HEAT, Kind.GAS, Kind.CO, Kind.WANDERING,
    Kind.DURESS, Kind.GENERAL_ALARM,
})  # fmt: skip
"""The most urgent kinds. A doubtful frame that reports one of them is believed."""
DOUBTFUL: Final = "it may have been changed on its way"
_DOUBTS: Final = {
    LONG_PAD: "a whole block of pad stands in front (if the terminal pads in this way, use 'vetlla keys pad')",
    BAD_TAIL: "something stands between data and time",
    CONTROLS: "the data hold control characters",
}
_WRONG_ACCOUNT: Final = (
    "the sealed data name another account than the header, and both have the same key: the frame was copied or sent "
    "under another account; give each home a key of its own, and give no key to an account that only data name"
)
_WRONG_KEY: Final = "no key of this account opens the frame: the key here or the one in the terminal is wrong"
_NO_KEY: Final = "the frame is encrypted and this account has no key here: set its key with 'vetlla keys set'"
_BARE_DIGITS: Final = 64
"""Hex digits of a sealed heartbeat without data: pad, bracket and time fill two blocks."""


def doubts(frame: Frame) -> list[str]:
    """Return the signs that a sealed frame may have been changed on its way."""
    return [_DOUBTS[quirk] for quirk in frame.quirks if quirk in _DOUBTS] if frame.key_name else []


def is_call(event: Event) -> bool:
    """Return True if an event is believed even if its frame is doubtful."""
    return event.kind in CALLS and event.phase is not Phase.RESTORE


def other_account(opened: Frame, keys: Sequence[Key], lookup: KeyLookup) -> AccountId | None:
    """Return the account that sealed data name if it is not the header's and the same key opens its frames."""
    account, named = opened.id.account, account_in(opened.data) if b"|" in opened.data else ""
    if not named or not account or named.lower() == account.lower():
        return None
    other, no_account = (opened.id._replace(account=name) for name in (named, ""))
    if lookup(no_account):
        return None  # keys that hold for every account, as in a recording, do not distinguish homes
    used = {key.secret for key in keys if key.name == opened.key_name}
    return other if any(key.secret in used for key in lookup(other)) else None


def refuse_unopened(frame: Frame, keys: Sequence[Key]) -> list[Item]:
    """Return the items of a sealed frame that none of its account's keys opens."""
    # A frame with more blocks than a heartbeat may be a call, and the receiver cannot read this home's frames.
    is_beat = frame.token in HEARTBEATS and len(frame.data) <= _BARE_DIGITS
    damage = Damage(Reason.UNDECRYPTABLE, frame.raw, _WRONG_KEY if keys else _NO_KEY)
    return _refusal(frame, damage, Kind.FAULT if is_beat else Kind.UNREADABLE, frame.id)


def refuse_for_other_account(opened: Frame, other: AccountId) -> list[Item]:
    """Return the items of a sealed frame whose data name another account, which ``other_account`` found."""
    damage = Damage(Reason.WRONG_ACCOUNT, opened.raw, _WRONG_ACCOUNT)
    return _refusal(opened, damage, Kind.UNREADABLE, opened.id, other)


def _refusal(frame: Frame, damage: Damage, kind: Kind, *homes: AccountId) -> list[Item]:
    """Return a sealed frame as evidence, which an operator sees for each of the homes, and the answer DUH."""
    header, binary_crc = echo(frame.raw)
    reply = Reply(data=envelope(b'"DUH"%b[]' % header, binary_crc=binary_crc))
    return [*(replace(damage.reject(NAME, who), kind=kind) for who in homes), reply]
