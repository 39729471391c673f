"""Keys that are recorded as duties: the rules of custody hold, and the user learns the command of custody."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_a_key_that_is_opened_as_a_duty_warns_of_what_custody_needs(vetlla: Vetlla, state_dir: Path) -> None:
    register_homes(state_dir.parent)
    done = vetlla("duties", "open", "key", "H1", "--ref", "K1", "--at", "3h")
    assert done.status == 0
    assert "custody needs place, authorisation, may_return" in done.talk
    assert "vetlla custody cede H1 --code K1" in done.talk
    (one,) = vetlla("duties", "list", "--kind", "key", "--json").json
    for home, ref in (("H2", "K1"), ("H1", "K1")):
        again = vetlla("duties", "open", "key", home, "--ref", ref)
        assert (again.status, "K1 is in custody already: it opens H1" in again.error) == (os.EX_USAGE, True)
    refused = vetlla("duties", "event", one["id"], "brought_back")
    assert (refused.status, "brought_back is not possible" in refused.error) == (os.EX_USAGE, True)
    assert "vetlla custody take K1" in refused.error
    assert vetlla("custody", "check").status == 0
    assert "vetlla custody take K1" in vetlla("duties", "event", one["id"], "taken", "--at", "2h").talk
    assert "very grave fault" in vetlla("duties", "event", one["id"], "used", "--at", "1h").talk
    assert "vetlla custody return K1" in vetlla("duties", "event", one["id"], "returned").talk
    after = vetlla("duties", "event", one["id"], "taken")
    assert (after.status, "K1 was returned" in after.error) == (os.EX_USAGE, True)


def test_other_kinds_and_complete_keys_warn_of_nothing(vetlla: Vetlla, state_dir: Path) -> None:
    register_homes(state_dir.parent)
    assert vetlla("duties", "open", "fault", "H1").talk == ""
    ceded = ("--place", "hook 1", "--authorisation", "A1", "--may-return", "P1")
    assert vetlla("custody", "cede", "H1", "--code", "K1", *ceded, "--at", "2h").talk == ""
    (one,) = vetlla("duties", "list", "--kind", "key", "--json").json
    assert vetlla("duties", "event", one["id"], "note", "--note", "two copies").talk == ""


def test_a_withdrawal_that_custody_refuses_is_told_at_once(vetlla: Vetlla, state_dir: Path) -> None:
    register_homes(state_dir.parent)
    ceded = ("--place", "hook 1", "--authorisation", "A1", "--may-return", "P1", "--at", "5h")
    vetlla("custody", "cede", "H1", "--code", "K1", *ceded)
    vetlla("custody", "take", "K1", "--by", "T1", "--reason", "check", "--at", "4h")
    taken = number_of(vetlla, "taken")
    vetlla("custody", "bring-back", "K1", "--at", "3h")
    said = vetlla("duties", "withdraw", taken, "--reason", "another key").talk
    assert "brought_back is not possible, because K1 is in its place (hook 1): vetlla custody check" in said
    vetlla("custody", "return", "K1", "--to", "P1", "--receipt", "R1", "--at", "2h")
    returned = number_of(vetlla, "returned")
    vetlla("custody", "cede", "H2", "--code", "K1", *ceded[:-1], "1h")
    said = vetlla("duties", "withdraw", returned, "--reason", "another key").talk
    assert "code K1 belongs to 2 keys in custody, of H1, H2: vetlla custody check" in said
    assert "brought_back" not in said  # that is known


def number_of(vetlla: Vetlla, event: str) -> int:
    """Return the number of the event of this name."""
    events = vetlla("custody", "show", "K1", "--json").json[0]["events"]
    return next(int(one["id"]) for one in events if one["event"] == event)
