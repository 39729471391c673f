"""``vetlla check-config`` warns of what is allowed but risky, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.check_config.conftest import add, warnings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HEX = "00112233445566778899aabbccddeeff"


def test_risks_of_accounts_and_keys_are_reported(vetlla: Vetlla) -> None:
    """A window is off, a key is not set, or a rotation was not finished."""
    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    vetlla("keys", "rotate", "north", "--hex", stdin="ff" * 16)
    vetlla(
        "accounts", "import", "-", stdin="account,key_name,clock_window\n" + "".join(f"{n},,off\n" for n in range(5))
    )
    assert "5 have no clock window (0, 1, 2, ...)" in warnings(vetlla)["accounts"]

    for number in range(5):
        vetlla("accounts", "set", number, "--clock-window", "standard", "--key-name", "south")
    found = warnings(vetlla)
    assert found["accounts"] == "5 use the missing key south and cannot report"
    assert found["keys"].startswith("north is being rotated since 20")


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('[intake]\nplain_for_keyed = "accept"\n', "intake.plain_for_keyed", "unencrypted frames"),
        ('[intake]\nunknown_accounts = "refuse"\n', "intake.unknown_accounts", "a slip in the registry loses an alarm"),
        ('[http]\nhost = "0.0.0.0"\n', "http.host", "served on 0.0.0.0"),
        ('[[mqtt]]\nhost = "arc.example"\nnode = "arc-1"\n', "mqtt mqtt", "it is stored twice"),
        ("[control]\nmode = 0o666\n", "control.mode", "every user of this machine can work on alarms"),
    ],
)
def test_risks_of_the_settings_are_reported(vetlla: Vetlla, config: Path, text: str, where: str, what: str) -> None:
    """The settings are allowed, so the exit status is 0; a warning says what may happen."""
    add(config, text)

    assert what in warnings(vetlla)[where]
    assert f"warning: {where}: " in vetlla("check-config").out


@pytest.mark.parametrize(
    "text",
    [
        '[http]\nhost = "localhost"\n',
        '[http]\nhost = "0.0.0.0"\nenabled = false\n',
        '[http]\nhost = "127.0.0.2"\n[control]\nmode = 0o666\noperators = "root"\n',
    ],
)
def test_a_setting_without_risk_gives_no_warning(vetlla: Vetlla, config: Path, text: str) -> None:
    """People soon stop reading a warning that is always there."""
    add(config, text)

    assert not warnings(vetlla)


def test_risks_of_files_are_reported(vetlla: Vetlla, config: Path, state_dir: Path) -> None:
    """Others can change the configuration, or the state directory does not exist."""
    config.chmod(0o666)
    assert warnings(vetlla) == {str(config): "users other than its owner can change it"}

    config.chmod(0o600)
    state_dir.rmdir()
    assert warnings(vetlla) == {"state_dir": f"{state_dir} does not exist"}
