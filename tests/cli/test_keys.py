"""``vetlla keys`` takes keys from a file, a pipe or a prompt, and never prints one."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.terminal_screen import screen
from vetlla.store.secrets.keyring import Keyring

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
HEX = "00112233445566778899aabbccddeeff"
OTHER = "ffeeddccbbaa99887766554433221100"


def secrets_of(path: Path, name: str) -> list[str]:
    return [key.secret.hex() for key in Keyring.read(path).lookup(name)]


def test_a_key_comes_from_standard_input_or_a_file(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """A line end is not part of the key; the answer names only the key and the file."""
    (tmp_path / "k").write_text("sixteen letters!\r\n", encoding="ascii")
    path = state_dir / "keys.toml"

    done = vetlla("keys", "set", "north", "--hex", stdin=HEX + "\n")
    assert done.out == f"key north: set ({path})\n"
    assert vetlla("keys", "set", "south", "--text", "--from-file", tmp_path / "k", "--json").json == [
        {"name": "south", "result": "set", "keys_file": str(path), "receiver_told": False}
    ]

    assert secrets_of(path, "north") == [HEX]
    assert secrets_of(path, "south") == [b"sixteen letters!".hex()]
    assert vetlla("keys", "set", "north", "--hex", stdin=HEX).out == f"key north: unchanged ({path})\n"
    again = vetlla("keys", "set", "north", "--hex", "--from-file", "-", stdin=HEX)
    assert again.out == f"key north: unchanged ({path})\n"


def test_at_a_terminal_the_key_is_asked_for_and_not_shown(state_dir: Path) -> None:
    """Nothing that is typed appears on the screen."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [VETLLA, "keys", "set", "north", "--hex"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        # The last blank of the prompt comes when the terminal's echo is off.
        shown = screen(master, until=b"(not shown): ")
        os.write(master, HEX.encode() + b"\n")
        shown += screen(master)
        assert process.wait(30) == 0
    os.close(master)

    assert b"key north: set" in shown
    assert HEX.encode() not in shown
    assert secrets_of(state_dir / "keys.toml", "north") == [HEX]


def test_an_ambiguous_key_is_refused_with_the_reason(vetlla: Vetlla, state_dir: Path) -> None:
    """32 hex digits may be hex or text; the other lengths are clear."""
    done = vetlla("keys", "set", "north", stdin=HEX)

    assert done.status == os.EX_USAGE
    assert "ambiguous: 128 bits written as hex, or 256 bits written as text" in done.error
    assert HEX not in done.error
    assert not (state_dir / "keys.toml").exists()
    assert vetlla("keys", "set", "north", stdin=HEX + HEX).status == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (["set", "a b", "--hex"], HEX, "the key's name should be letters"),
        (["set", HEX, "--hex"], HEX, "the key's name looks like a key itself"),
        (["set", "north", "--hex", "--text"], HEX, "--hex and --text exclude each other"),
        (["set", "north", "--hex"], b"\x00\x11\x22\xff", "the key is not plain text"),
        (["set", "north", "--from-file", "/nowhere/k"], "", "--from-file: No such file or directory"),
        (["rotate", "north", "--hex"], HEX, "there is no key north"),
        (["rotate", "north", "--finish", "--hex"], HEX, "--finish takes no key"),
        (["rotate", "north", "--generate"], "", "--generate and --out go together"),
        (["rotate", "north", "--out", "x"], "", "--generate and --out go together"),
        (["rotate", "north", "--generate", "--out", "-"], "", "a generated key is not printed"),
        (["rotate", "north", "--generate", "--out", "x", "--hex"], "", "a generated key is not read"),
        (["remove", "north"], "", "there is no key north"),
    ],
)
def test_a_wrong_use_is_refused_and_leaves_nothing(
    vetlla: Vetlla, tmp_path: Path, arguments: list[str], stdin: str, told: str
) -> None:
    """Each refusal says why, shows no key and makes no key."""
    done = vetlla("keys", *(tmp_path / "x" if argument == "x" else argument for argument in arguments), stdin=stdin)

    assert done.status == os.EX_USAGE
    assert told in done.error
    assert HEX not in done.error + done.out + done.talk
    assert not (tmp_path / "x").exists()


TEXT_KEY = "sixteen letters!"


@pytest.mark.parametrize("secret", [HEX, HEX + HEX, TEXT_KEY])
@pytest.mark.parametrize(
    "words",
    [
        "keys set north --hex KEY",
        "keys set north KEY",
        "keys set north --hex=KEY",
        "keys set north --from-file KEY",
        "keys rotate north --text KEY",
        "keys rotate north --from-file KEY",
        "keys remove north KEY",
        "keys list KEY",
        "simulate dial --to 127.0.0.1:9 --encrypt KEY",
        "simulate dial --to 127.0.0.1:9 --encrypt 128 KEY",
        "decode dc09 - KEY",
        "decode dc09 --key KEY.",
        "decode dc09 --key-text KEY.",
        "accounts set 1234 --key-name KEY/",
        "accounts show 1234 KEY",
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(state_dir: Path, words: str, secret: str) -> None:
    """People record terminals and send errors to colleagues, so no message has the key that a person gave."""
    given = [word.replace("KEY", secret) for word in words.split()]
    done = subprocess.run(
        [VETLLA, *given], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert secret not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("vetlla: ")
    assert state_dir.is_dir()


def test_a_rotation_keeps_the_old_key_until_it_is_finished(vetlla: Vetlla, state_dir: Path) -> None:
    """Devices change over one by one, and no device is cut off."""
    path = state_dir / "keys.toml"
    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    assert "keys rotate north keeps it" in vetlla("keys", "set", "north", "--hex", stdin=OTHER).error

    assert vetlla("keys", "rotate", "north", "--hex", stdin=OTHER).out == f"key north: rotating ({path})\n"
    assert secrets_of(path, "north") == [OTHER, HEX]
    assert vetlla("keys", "list", "--json").json[0]["rotating"] is True

    assert vetlla("keys", "rotate", "north", "--finish").out == f"key north: rotation finished ({path})\n"
    assert secrets_of(path, "north") == [OTHER]
    assert vetlla("keys", "set", "north", "--hex", "--replace", stdin=HEX).status == 0
    assert secrets_of(path, "north") == [HEX]


def test_a_generated_key_goes_to_one_new_file_alone(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The key is as long as the old one, and only its owner can read it; an existing file is not overwritten."""
    vetlla("keys", "set", "north", "--hex", stdin=HEX + HEX)
    out = tmp_path / "north.key"

    done = vetlla("keys", "rotate", "north", "--generate", "--out", out)

    generated = out.read_text(encoding="ascii").strip()
    assert len(generated) == 64
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert secrets_of(state_dir / "keys.toml", "north") == [generated, HEX + HEX]
    assert generated not in done.out + done.talk

    vetlla("keys", "rotate", "north", "--finish")
    again = vetlla("keys", "rotate", "north", "--generate", "--out", out)
    assert "File exists" in again.error
    assert secrets_of(state_dir / "keys.toml", "north") == [generated]


def test_a_generated_key_that_cannot_be_used_is_not_left_behind(vetlla: Vetlla, tmp_path: Path) -> None:
    """The file is removed again, because no device will ever need its key."""
    done = vetlla("keys", "rotate", "unknown", "--generate", "--out", tmp_path / "x.key")

    assert "there is no key unknown" in done.error
    assert not (tmp_path / "x.key").exists()


def test_list_shows_names_sizes_and_users_and_never_a_key(vetlla: Vetlla) -> None:
    """The command warns of a name that accounts use and that has no key."""
    assert vetlla("keys", "list").out == ""
    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    vetlla("accounts", "import", "-", stdin="account,key_name\n1,north\n2,north\n3,south\n")

    done = vetlla("keys", "list", "--json")

    (row,) = done.json
    assert (row["name"], row["bits"], row["rotating"], row["accounts"]) == ("north", 128, False, 2)
    assert row["since"].endswith("Z")
    assert "warning: key south of 1 account is not in" in done.talk
    assert HEX not in done.out + done.talk + vetlla("keys", "list").out


def test_a_key_that_homes_share_gives_a_warning(vetlla: Vetlla) -> None:
    """`keys list`, `check-config` and `doctor` warn, because a sealed frame does not say which home sent it."""
    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    vetlla("accounts", "import", "-", stdin="account,home,key_name\n1,H-1,north\n2,H-1,north\n")
    assert "share" not in vetlla("keys", "list").talk
    done = vetlla("accounts", "set", "3", "--home", "H-2", "--key-name", "north")

    assert "warning: 2 homes share key north" in done.talk
    assert "warning: 2 homes share key north: give each one of its own" in vetlla("keys", "list").talk
    assert "1 are used by several homes (north)" in vetlla("check-config").out
    assert "1 keys, 1 of them shared by several homes" in vetlla("doctor").out


def test_a_whole_block_of_pad_is_trusted_only_where_the_key_says_so(vetlla: Vetlla, state_dir: Path) -> None:
    """Terminals of the 2026 edition need it; a warning names the risk as long as it is set."""
    path = state_dir / "keys.toml"
    assert "there is no key north" in vetlla("keys", "pad", "north", "--long").error
    vetlla("keys", "set", "north", "--hex", stdin=HEX)

    assert vetlla("keys", "pad", "north", "--long").out == f"key north: long pads ({path})\n"
    assert Keyring.read(path).lookup("north")[0].long_pad
    assert vetlla("keys", "list", "--json").json[0]["pad"] == "long"
    assert "north: frames with a whole block of pad are accepted" in vetlla("check-config").out
    assert vetlla("keys", "pad", "north", "--long").out == f"key north: unchanged ({path})\n"
    assert vetlla("keys", "pad", "north", "--short").out == f"key north: short pads ({path})\n"
    assert vetlla("keys", "list", "--json").json[0]["pad"] == "short"


def test_a_key_that_accounts_use_is_not_removed(vetlla: Vetlla, state_dir: Path) -> None:
    """Its accounts must be removed before the key."""
    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    vetlla("accounts", "set", "1", "--key-name", "north")
    assert "1 accounts use key north" in vetlla("keys", "remove", "north").error

    vetlla("accounts", "set", "1", "--key-name", "")
    assert vetlla("keys", "remove", "north").out == f"key north: removed ({state_dir / 'keys.toml'})\n"


def test_the_configured_file_is_the_one_that_is_changed(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The command writes the file that the receiver reads; another state directory has keys of its own."""
    config = tmp_path / "vetlla.toml"
    config.write_text(f'keys_file = "{tmp_path}/keys"\n' + config.read_text(encoding="utf-8"), encoding="utf-8")

    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    vetlla("keys", "set", "drill", "--hex", "--state-dir", tmp_path, stdin=HEX)
    vetlla("keys", "set", "named", "--hex", "--keys-file", tmp_path / "other", stdin=HEX)

    assert set(Keyring.read(tmp_path / "keys")) == {"north"}
    assert set(Keyring.read(tmp_path / "keys.toml")) == {"drill"}
    assert set(Keyring.read(tmp_path / "other")) == {"named"}
    assert not (state_dir / "keys.toml").exists()


def test_a_broken_configuration_does_not_block_a_named_directory(
    vetlla: Vetlla, state_dir: Path, tmp_path: Path
) -> None:
    """The command warns of it and goes on."""
    (tmp_path / "vetlla.toml").write_text("broken", encoding="utf-8")

    done = vetlla("keys", "set", "north", "--hex", "--state-dir", state_dir, stdin=HEX)

    assert done.status == 0
    assert "warning: configuration not used: " in done.talk
    assert secrets_of(state_dir / "keys.toml", "north") == [HEX]
