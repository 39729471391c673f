"""The keys file: which files are read, which are refused, and that no key ever shows."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.accounts import Account
from vetlla.domain.errors import ConfigError, StoreError, UsageError, VetllaError
from vetlla.domain.signals import Key
from vetlla.store.secrets.changes import finish_rotation, remove_key, rotate_key, set_key, set_long_pad, write_secret
from vetlla.store.secrets.keyring import Keyring, SharedKey, shared_by_homes, unknown_names
from vetlla.store.secrets.text import Form, parse_secret

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 21, 22, 33, 1, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)
SECRET = bytes(range(16))
OTHER = bytes(range(16, 48))
HEX = SECRET.hex()


def keep(path: Path, name: str, secret: bytes) -> bool:
    return set_key(path, name, secret, by="ana", now=NOW)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_key_that_is_kept_is_found_by_its_name(tmp_path: Path) -> None:
    """A name without a key gives no keys."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    keep(path, "south.2-a_b", OTHER)

    keyring = Keyring.read(path)

    assert keyring.lookup("north") == (Key(name="north", secret=SECRET),)
    assert keyring.lookup("east") == ()
    assert dict(keyring) == {
        "north": SharedKey(current=SECRET, since=NOW, by="ana"),
        "south.2-a_b": SharedKey(current=OTHER, since=NOW, by="ana"),
    }


def test_during_a_rotation_the_previous_key_has_a_name_of_its_own(tmp_path: Path) -> None:
    """A name of its own for the previous key shows which devices still use it; finishing drops the key."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    rotate_key(path, "north", OTHER, by="eva", now=LATER)

    assert Keyring.read(path).lookup("north") == (
        Key(name="north", secret=OTHER),
        Key(name="north~previous", secret=SECRET),
    )
    assert Keyring.read(path)["north"].since == LATER

    finish_rotation(path, "north")
    assert Keyring.read(path).lookup("north") == (Key(name="north", secret=OTHER),)


def test_a_long_pad_stays_with_the_name(tmp_path: Path) -> None:
    """The pad belongs to the terminals, so a rotation and a replaced key keep it."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    assert set_long_pad(path, "north", long_pad=True)
    assert not set_long_pad(path, "north", long_pad=True)
    rotate_key(path, "north", OTHER, by="eva", now=LATER)
    assert [key.long_pad for key in Keyring.read(path).lookup("north")] == [True, True]
    finish_rotation(path, "north")
    set_key(path, "north", SECRET, by="eva", now=LATER, drop_old=True)
    assert [key.long_pad for key in Keyring.read(path).lookup("north")] == [True]
    assert set_long_pad(path, "north", long_pad=False)
    assert "long_pad" not in path.read_text(encoding="utf-8")


def test_keys_that_several_homes_share() -> None:
    """Two terminals of one home may share a key. An account without a home counts as a home of its own."""
    accounts = [
        Account(account="1", home="H-1", key_name="north"),
        Account(account="2", home="H-1", key_name="north"),
        Account(account="3", key_name="south"),
        Account(account="4", key_name="south"),
        Account(account="5"),
        Account(account="6"),
    ]
    assert shared_by_homes(accounts) == {"south": 2}


def test_only_the_owner_can_use_the_file(tmp_path: Path) -> None:
    """Only the owner can use it, whatever the umask, after every change. No other file is left except the lock."""
    path = tmp_path / "keys.toml"
    before = os.umask(0)
    try:
        keep(path, "north", SECRET)
        keep(path, "south", OTHER)
        write_secret(tmp_path / "out.key", SECRET)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "out.key").stat().st_mode) == 0o600
    assert (tmp_path / "out.key").read_text(encoding="ascii") == HEX + "\n"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["keys.toml", "keys.toml.lock", "out.key"]


def test_a_change_keeps_the_files_owner(tmp_path: Path) -> None:
    """Root changes the keys of the receiver's user, who still owns the file."""
    owner = (4711, 4712) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    os.chown(path, *owner)

    keep(path, "south", OTHER)

    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_setting_the_same_key_again_changes_nothing(tmp_path: Path) -> None:
    """The file is not written again."""
    path = tmp_path / "keys.toml"
    assert keep(path, "north", SECRET)
    before = path.stat().st_ino

    assert not set_key(path, "north", SECRET, by="eva", now=LATER)
    assert path.stat().st_ino == before


def test_another_key_takes_a_names_place_only_on_demand(tmp_path: Path) -> None:
    """Devices that use the old key would be cut off, so the remedy is a rotation."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)

    with pytest.raises(UsageError, match=r"another key north already\n  -> vetlla keys rotate north"):
        keep(path, "north", OTHER)
    assert Keyring.read(path)["north"].current == SECRET

    assert set_key(path, "north", OTHER, by="ana", now=NOW, drop_old=True)
    assert Keyring.read(path)["north"] == SharedKey(current=OTHER, since=NOW, by="ana")


def test_steps_of_a_rotation_out_of_order_are_refused(tmp_path: Path) -> None:
    """A second rotation cannot lose a key, and only a rotation that was begun can be finished."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)

    with pytest.raises(UsageError, match="north is not being rotated"):
        finish_rotation(path, "north")
    with pytest.raises(UsageError, match="north has this key already"):
        rotate_key(path, "north", SECRET, by="ana", now=NOW)
    rotate_key(path, "north", OTHER, by="ana", now=NOW)
    with pytest.raises(UsageError, match="in rotation since 2026-11-21"):
        rotate_key(path, "north", bytes(16), by="ana", now=NOW)
    assert Keyring.read(path)["north"].previous == SECRET

    for change in (remove_key, finish_rotation):
        with pytest.raises(UsageError, match="there is no key east"):
            change(path, "east")
    remove_key(path, "north")
    assert not Keyring.read(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Keys that the group can read are no longer secret; the error gives the remedy."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    path.chmod(mode)

    with pytest.raises(ConfigError, match=rf"others than its owner can read or write it\n  -> chmod 600 {path}"):
        Keyring.read(path)


def test_a_systemd_credential_is_read_whatever_its_mode_and_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systemd protects it by other means. To change keys, change the file that the unit loads."""
    path = tmp_path / "vetlla-keys"
    keep(path, "north", SECRET)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert Keyring.read(path).lookup("north")
    with pytest.raises(ConfigError, match=r"credential cannot be changed\n  -> name the file that the unit loads"):
        keep(path, "south", SECRET)


TABLE = f'key = "{HEX}"\nsince = 2026-11-21T22:33:01Z\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'["north"]\nkey = "{HEX}', r"not TOML at "),
        (f"{HEX} = {HEX} {HEX}", r"not TOML at line 1, column "),
        (f'["{HEX}"]\n{TABLE}', r"entry 1: looks like a key itself"),
        (f'["north"]\n{TABLE}["a b"]\n{TABLE}', r"entry 2: should be letters"),
        (f'north = "{HEX}"', r"entry 1: should hold key and since"),
        (f'["north"]\nkey = "{HEX}"', r"entry 1: should hold key and since"),
        (
            f'["north"]\n{TABLE}{HEX} = 1',
            r"entry 1: should hold key and since, may hold previous, by and long_pad, and nothing",
        ),
        (f'["north"]\nkey = "{HEX}00"\nsince = 2026-11-21T22:33:01Z', r"entry 1: key and previous should be 32, 48"),
        (f'["north"]\nkey = {int(HEX, 16)}\nsince = 2026-11-21T22:33:01Z', r"not TOML|entry 1: key and previous"),
        (f'["north"]\n{TABLE}previous = "{HEX}0"', r"entry 1: key and previous should be 32, 48"),
        (f'["north"]\nkey = "{HEX}"\nsince = 2026-11-21T22:33:01', r"entry 1: since should be a date and time"),
        (f'["north"]\nkey = "{HEX}"\nsince = "{HEX}"', r"entry 1: since should be a date and time"),
        (f'["north"]\n{TABLE}long_pad = "{HEX}"', r"entry 1: long_pad should be true or false"),
        (f'["north"]\n{TABLE}long_pad = [1]', r"entry 1: long_pad should be true or false"),
        (f'["north"]\n{TABLE}long_pad = 1', r"entry 1: long_pad should be true or false"),
    ],
)
def test_a_malformed_file_is_reported_without_its_content(tmp_path: Path, text: str, told: str) -> None:
    """Neither the message nor a traceback in a log contains any part of a key."""
    path = written(tmp_path / "keys.toml", text)

    with pytest.raises(ConfigError, match=told) as caught:
        Keyring.read(path)

    shown = "".join(traceback.format_exception(caught.value))
    assert HEX[:8] not in shown
    assert str(int(HEX, 16))[:8] not in shown
    assert "-> restore it from its backup" in str(caught.value)


def test_bytes_that_are_no_text_are_reported(tmp_path: Path) -> None:
    """A binary key was put in the place of the file."""
    path = tmp_path / "keys.toml"
    path.write_bytes(bytes(range(128, 160)))
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="not TOML in UTF-8"):
        Keyring.read(path)


def test_a_missing_or_unreadable_file_is_reported(tmp_path: Path) -> None:
    """The error says that there are no keys, and how to make the file."""
    with pytest.raises(ConfigError, match=r"keys.toml: No such file or directory\n  -> `vetlla keys set` makes it"):
        Keyring.read(tmp_path / "keys.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        Keyring.read(tmp_path)


def test_no_representation_shows_a_secret(tmp_path: Path) -> None:
    """A key in a log line, a traceback or a debugger's list of variables shows at most its name."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    rotate_key(path, "north", OTHER, by="ana", now=NOW)
    keyring = Keyring.read(path)

    shown = f"{keyring!r} {dict(keyring)!r} {keyring.lookup('north')!r}"
    assert "north" in shown
    for secret in (SECRET, OTHER):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_two_changes_at_once_do_not_lose_a_key(tmp_path: Path) -> None:
    """The second change is refused while the first process holds the file."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    hold = (
        "import sys\nfrom pathlib import Path\nfrom vetlla.store.sqlite.lockfile import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, f"{path}.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=rf"process {other.pid} is writing"):
            keep(path, "south", OTHER)

    keep(path, "south", OTHER)
    assert set(Keyring.read(path)) == {"north", "south"}


def test_files_of_a_killed_command_are_no_obstacle(tmp_path: Path) -> None:
    """An incomplete new file never becomes the keys file."""
    path = tmp_path / "keys.toml"
    keep(path, "north", SECRET)
    (tmp_path / "keys.toml.new").write_text("half", encoding="ascii")

    keep(path, "south", OTHER)

    assert set(Keyring.read(path)) == {"north", "south"}
    assert not (tmp_path / "keys.toml.new").exists()


def test_a_place_where_nothing_can_be_written_is_reported(tmp_path: Path) -> None:
    """The keys stay as they were, and no secret is left in another file."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="its parent must exist"):
        keep(tmp_path / "nowhere" / "there" / "keys.toml", "north", SECRET)
    with pytest.raises(StoreError, match="is the path right"):
        keep(tmp_path / "file" / "keys.toml", "north", SECRET)
    with pytest.raises(StoreError, match=r"file: File exists\n  -> name a new file"):
        write_secret(tmp_path / "file", SECRET)
    with pytest.raises(StoreError, match="No such file"):
        write_secret(tmp_path / "nowhere" / "x.key", SECRET)

    (tmp_path / "keys.toml.new").mkdir()
    with pytest.raises(StoreError, match=r"cannot be written: Is a directory\n  -> check permissions and disk"):
        keep(tmp_path / "keys.toml", "north", SECRET)
    assert not (tmp_path / "keys.toml").exists()


def test_names_that_accounts_use_without_a_key_are_counted() -> None:
    """check-config reports such names before a home's reports can no longer be read."""
    keyring = Keyring({"north": SharedKey(current=SECRET, since=NOW, by="ana")})

    assert unknown_names(keyring, ["north", "", "south", "east", "south"]) == {"south": 2, "east": 1}


@pytest.mark.parametrize(
    ("text", "form", "secret"),
    [
        (HEX, Form.HEX, SECRET),
        (HEX.upper(), Form.HEX, SECRET),
        (HEX, Form.TEXT, HEX.encode()),
        (f" {HEX[:16]} {HEX[16:]}\t", Form.HEX, SECRET),
        (f"{HEX[:16]} {HEX[16:]}", None, SECRET),
        (OTHER.hex(), None, OTHER),
        ("00" * 24, None, bytes(24)),
        ("AAAAAAAAAAAAAAAA", None, b"A" * 16),
        ("0123456789abcdef01234567", None, b"0123456789abcdef01234567"),
        ("thirty-two characters, no hex :)", None, b"thirty-two characters, no hex :)"),
        (" 16 with spaces ", Form.TEXT, b" 16 with spaces "),
    ],
)
def test_a_key_is_understood_as_its_form_says(text: str, form: Form | None, secret: bytes) -> None:
    """The form may be left out if only one reading is possible."""
    assert parse_secret(text, form) == secret


@pytest.mark.parametrize(
    ("text", "form", "told"),
    [
        (HEX, None, "ambiguous: 128 bits written as hex, or 256 bits written as text"),
        (HEX[:-1], Form.HEX, r"not 32, 48 or 64 hex digits \(it has 31 characters\)"),
        (HEX[:-1] + "g", Form.HEX, "not 32, 48 or 64 hex digits"),
        (HEX[:-1], None, "not 32, 48 or 64 hex digits"),
        ("", None, r"\(it has 0 characters\)"),
        ("short-and-secret", Form.HEX, r"\(it has 14 characters\)|\(it has 16 characters\)"),
        ("fifteen letters", Form.TEXT, r"not 16, 24 or 32 plain characters \(it has 15\)"),
        ("sixteen with é..", Form.TEXT, "plain characters"),
        ("sixteen with \x07..", Form.TEXT, "plain characters"),
    ],
)
def test_a_text_that_cannot_be_a_key_is_refused_and_not_repeated(text: str, form: Form | None, told: str) -> None:
    """The error says what is wrong without the key, which other people could see on the screen."""
    with pytest.raises(UsageError, match=told) as caught:
        parse_secret(text, form)

    assert not text or text not in str(caught.value)
    assert isinstance(caught.value, VetllaError)
    assert caught.value.remedy
