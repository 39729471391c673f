"""After a change: the running receiver is told, and the person when none was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.control import nudge_reload
from vetlla.cli.output import talk

if TYPE_CHECKING:
    from pathlib import Path


def tell_receiver(state_dir: Path) -> bool:
    """Have the running receiver read accounts and keys anew; say so if none confirmed it. Return whether one did."""
    told = nudge_reload(state_dir)
    if not told:
        talk().print(
            "no running receiver confirmed the change: one that runs takes it with `systemctl reload vetlla`",
            soft_wrap=True,
        )
    return told
