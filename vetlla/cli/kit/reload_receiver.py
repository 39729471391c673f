"""After a change, reload the running receiver and warn the user if that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.output import tell
from vetlla.domain.errors import LinkError, VetllaError
from vetlla.receiver.control.messages.receiver import ReloadRegistry

if TYPE_CHECKING:
    from pathlib import Path

RELOAD_S = 30.0
"""How long a reload may take: a receiver reads a quarter of a million accounts in some seconds."""


def reload_receiver(state_dir: Path, *, keys_file: Path | None = None) -> bool:
    """Let the running receiver read accounts and keys again. Return True if it did; print the reason if it did not.

    ``keys_file`` is the one that was changed. A receiver that reads another, such as a systemd credential, does not
    have the change.
    """
    try:
        read = ask(state_dir, ReloadRegistry(), timeout_s=RELOAD_S)["keys_file"]
    except LinkError:
        tell("no running receiver confirmed this: if one runs, use `systemctl reload vetlla`", "yellow")
        return False
    except VetllaError as error:
        tell(f"warning: the receiver goes on with its old accounts and keys: {error}", "yellow")
        return False
    if keys_file and read != str(keys_file.absolute()):
        tell(
            f"warning: the receiver reads its keys from {read}, not from {keys_file}\n"
            "  -> a systemd credential: change the file behind it (--keys-file), then systemctl restart vetlla",
            "yellow",
        )
        return False
    return True
