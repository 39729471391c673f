"""A reload that ends with a fault of this program: the old settings stay, and a log line and a count show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import ConfigError
from vetlla.protocols.registry import load_protocols
from vetlla.receiver.counters import Counters
from vetlla.receiver.reload import Reload, Taken
from vetlla.settings.listen import Listen
from vetlla.settings.model import Settings
from vetlla.store.registered import RegistryFiles

if TYPE_CHECKING:
    from pathlib import Path


def settings(state_dir: Path, chain_window_s: float) -> Settings:
    """Return settings with one listener."""
    return Settings.model_validate(
        {
            "state_dir": state_dir,
            "listen": (Listen(protocol="dc09", host="127.0.0.1", port=0),),
            "queue": {"chain_window_s": chain_window_s},
            "http": {"enabled": False},
        }
    )


@pytest.mark.parametrize("alone", [False, True], ids=["configuration", "accounts and keys alone"])
async def test_a_part_that_fails_on_its_new_settings(tmp_path: Path, *, alone: bool) -> None:
    """No code awaited the task, so its exception was never seen: half of the settings applied, without a log line."""
    counters, calls = Counters(), []

    async def take(taken: Taken) -> None:
        calls.append(taken.settings.queue.chain_window_s)
        raise OverflowError("cannot convert float infinity to integer")

    reload = Reload(
        settings(tmp_path, 60),
        lambda: settings(tmp_path, 90),
        protocols=load_protocols(),
        counters=counters,
        clock=ManualClock(),
        registry_of=lambda wanted: RegistryFiles(wanted.state_dir, wanted.keys_file, ManualClock()),
        held=lambda _: set(),
        take=take,
    )
    why = await (reload.registry() if alone else reload.configuration())
    assert isinstance(why, ConfigError)
    assert "cannot convert float infinity" in why.args[0]
    assert reload.settings.queue.chain_window_s == 60
    assert (counters.reloads, counters.reloads_refused, counters.registry_unread) == (0, not alone, alone)
    assert bool(reload.refused) is not alone
    assert calls == [60 if alone else 90]
