"""After a change: the running receiver is told, and the person when none took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.control import ask
from vetlla.cli.output import talk
from vetlla.errors import LinkError, VetllaError

if TYPE_CHECKING:
    from pathlib import Path

RELOAD_S = 30.0
"""A receiver reads a quarter of a million accounts in some seconds."""


def tell_receiver(state_dir: Path) -> bool:
    """Have the running receiver read accounts and keys anew; return whether it did, and say why if it did not."""
    try:
        ask(state_dir, "reload", timeout_s=RELOAD_S)
    except LinkError:
        _say("no running receiver confirmed this: one that runs takes it with `systemctl reload vetlla`")
    except VetllaError as error:
        _say(f"warning: the receiver goes on with what it knew: {error}")
    else:
        return True
    return False


def _say(text: str) -> None:
    talk().print(text, style="yellow", markup=False, soft_wrap=True)
