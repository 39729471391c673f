"""Reads a card for the person who runs the command, if need be as the owner of the cards by sudo.

Only the receiver's user opens ``cards.db`` and its key. So an operator cannot read a card past the log. The rule in
``config/sudo/vetlla-operators`` lets operators run ``vetlla home`` as that user, and sudo says who they are.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import ValidationError

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.options import configured, configured_for
from vetlla.domain import permissions
from vetlla.domain.cards import CARD, ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import AccessError, StoreError, UsageError, VetllaError
from vetlla.settings.model import DEFAULT_STATE_DIR, default_cards_key_file
from vetlla.store.cards.opening import CARDS, PATIENCE_S
from vetlla.tasks.cards.place import CardPlace, is_present
from vetlla.tasks.cards.reading import read_card
from vetlla.tasks.cards.registered import doubts_if_readable

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.cards import Card

BESIDE_S: Final = 2.0
"""How long an operator who claimed an alarm waits for its card, if another process writes the file."""
OWNER_S: Final = 5.0
"""Bound of a reading by sudo: the start of a program on a busy machine, and the wait for the file."""


class CardBeside(NamedTuple):
    """The card beside an alarm, and why there is none or what the inventory contradicts in it."""

    home: str
    card: Card | None
    problem: str = ""


def place_of(key_file: Path | None, state_dir: Path) -> CardPlace:
    """Return where the cards are: their key is in the file that is named, that is configured, or in the directory."""
    settings = configured_for(state_dir)
    is_configured = settings is not None and "cards_key_file" in settings.model_fields_set
    usual = settings.cards_key_file if settings else default_cards_key_file(state_dir)
    return CardPlace(state_dir, key_file or usual, is_configured)


def card_of(place: CardPlace, home: str, reason: ReadReason, *, patience_s: float = PATIENCE_S) -> Card | None:
    """Return the card of a home after the reading was recorded; None if it has none. Raises VetllaError."""
    _refuse_other_cards(place)
    if not is_present(place) or permissions.obstacle(place.state_dir / CARDS) is None:
        return read_card(place, SystemClock(), home, reason, by=actor(), patience_s=patience_s)
    return _by_owner(place.state_dir, home, reason)


def card_beside(state_dir: Path, home: str, alarm: int) -> CardBeside:
    """Return the card of an alarm's home. It never raises: the alarm is shown whatever is wrong with the card.

    A service that keeps no cards at all is told of no problem.
    """
    try:
        place = place_of(None, state_dir)
        if not is_present(place):
            return CardBeside(home, None)
        card = card_of(place, home, ReadReason(alarm), patience_s=BESIDE_S)
    except Exception as error:  # noqa: BLE001 - an operator must not lose an alarm to any fault of the cards
        problem = str(error.args[0] if isinstance(error, VetllaError) else error) or type(error).__name__
        return CardBeside(home, None, f"the card of home {home} cannot be shown: {problem.partition(chr(10))[0]}")
    if card is None:
        return CardBeside(home, None, f"home {home} has no card")
    found = doubts_if_readable(state_dir, SystemClock(), [card])
    return CardBeside(home, card, "; ".join(f"home {home}: {one.what}" for one in found))


def _refuse_other_cards(place: CardPlace) -> None:
    """Raise AccessError if sudo gave an operator the owner's rights, and the operator names other cards.

    Sudo lets operators run ``home`` with any options. A reading of a backup would be recorded in the backup's log, and
    not in the log that the service looks at.
    """
    person = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 or person in {"", str(os.geteuid())}:
        return
    settings = configured()
    state_dir = settings.state_dir if settings else DEFAULT_STATE_DIR
    if place.state_dir.absolute() != state_dir or place.key_file != place_of(None, state_dir).key_file:
        raise AccessError(
            f"{place.state_dir}: by sudo only the cards of {state_dir} are read, with their own key",
            remedy="leave out --state-dir and --key-file; for other cards: sudo vetlla home ...",
        )


def _by_owner(state_dir: Path, home: str, reason: ReadReason) -> Card | None:
    """Read the card as the owner of the file. Raises AccessError if sudo does not allow that, and as ``read_card``."""
    path = state_dir / CARDS
    refused = permissions.refusal(path, "it may be read by its owner alone")
    sudo = shutil.which("sudo")
    if sudo is None:
        raise refused
    why = ["--reason", reason.text] if reason.alarm is None else ["--alarm", str(reason.alarm)]
    # "--" keeps a home's code that begins with "-" from being an option.
    wanted = ["home", "--only-card", "--json", *why, "--state-dir", str(state_dir.absolute()), "--", home]
    try:
        owner = permissions.user_name(path.lstat().st_uid)
        done = subprocess.run(  # noqa: S603 - a list of words and no shell
            [sudo, "-n", "-u", owner, "vetlla", *wanted],
            capture_output=True,
            text=True,
            check=False,
            timeout=OWNER_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise StoreError(f"{path}: not read within {OWNER_S:.0f} s", remedy="vetlla home CODE tries again") from error
    except OSError as error:
        raise refused from error
    if done.returncode == os.EX_OK:
        return _parsed(done.stdout)
    told = next((line for line in done.stderr.splitlines() if line.startswith("vetlla: ")), "")
    if not told:  # sudo itself refused
        raise AccessError(
            refused.args[0],
            remedy=f"install config/sudo/vetlla-operators, and be a member of its group; or {refused.remedy}",
        )
    if done.returncode == os.EX_USAGE:  # the reason was refused
        raise UsageError(told.removeprefix("vetlla: "), remedy='name the alarm: --alarm N; or say it: --reason "..."')
    raise StoreError(told.removeprefix("vetlla: "), remedy=f"vetlla doctor, run as {owner}, says more")


def _parsed(answer: str) -> Card | None:
    try:
        card = json.loads(answer)["card"]
        return None if card is None else CARD.validate_python(card)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise StoreError(
            "the owner's command gave no card", remedy="is it the same version of Vetlla? vetlla --version"
        ) from error
