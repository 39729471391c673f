"""After a change: the running receiver is told, and the person when none took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.output import tell
from vetlla.domain.errors import LinkError, VetllaError

if TYPE_CHECKING:
    from pathlib import Path

RELOAD_S = 30.0
"""A receiver reads a quarter of a million accounts in some seconds."""


def tell_receiver(state_dir: Path, *, keys_file: Path | None = None) -> bool:
    """Have the running receiver read accounts and keys anew; return whether it did, and say why if it did not.

    ``keys_file`` is the one that was changed: a receiver that reads another, as a systemd credential, has not got it.
    """
    try:
        read = ask(state_dir, "registry", timeout_s=RELOAD_S)["keys_file"]
    except LinkError:
        tell("no running receiver confirmed this: one that runs takes it with `systemctl reload vetlla`", "yellow")
        return False
    except VetllaError as error:
        tell(f"warning: the receiver goes on with what it knew: {error}", "yellow")
        return False
    if keys_file and read != str(keys_file.absolute()):
        tell(
            f"warning: the receiver reads its keys from {read}, not from {keys_file}\n"
            "  -> a systemd credential: change the file behind it (--keys-file), then systemctl restart vetlla",
            "yellow",
        )
        return False
    return True
