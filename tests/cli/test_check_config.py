"""``vetlla check-config`` exits with 0 or 78, and warns of what is allowed but risky."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.checked_config import add, warnings
from tests.rigs.permissions import reachable_directory, unprivileged
from vetlla.cli.kit.options import DEFAULT_CONFIG, configuration_file

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
HEX = "00112233445566778899aabbccddeeff"


def test_a_good_configuration_is_summed_up(vetlla: Vetlla, config: Path, state_dir: Path) -> None:
    """One screen shows what would run, without warnings if there is nothing to warn of."""
    vetlla("accounts", "set", "1234")
    add(config, '\n[[listen]]\nprotocol = "eview"\nhost = "127.0.0.1"\nport = 0\n')

    done = vetlla("check-config")

    assert done.status == 0
    assert done.out.splitlines() == [
        f"{config}: usable",
        "  dc09: dc09 over tcp and udp on 127.0.0.1:0",
        "  eview: eview over tcp on 127.0.0.1:0",
        f"  state directory {state_dir}, keys {state_dir}/keys.toml",
        "  1 accounts, 0 keys",
    ]


def test_a_broker_is_summed_up_with_its_risks(vetlla: Vetlla, config: Path) -> None:
    """A broker in clear across a network is a risk. So is a duplicate window that is shorter than a break may be."""
    add(config, '\n[[mqtt]]\nhost = "192.0.2.7"\nport = 1883\nnode = "arc-1"\n')

    done = vetlla("check-config")

    assert done.status == 0
    assert "  mqtt: MQTT as arc-1 at 192.0.2.7:1883\n" in done.out
    assert "go to 192.0.2.7 unencrypted" in done.out
    assert "set it to session_expiry_s (86400 s)" in done.out
    add(config, 'tls = { ca = "/missing.pem" }\n')
    done = vetlla("check-config")
    assert done.status == os.EX_CONFIG
    assert "mqtt mqtt: tls: /missing.pem: no such file" in done.error


def test_a_spool_is_summed_up_with_its_risks(vetlla: Vetlla, config: Path, tmp_path: Path) -> None:
    """The configuration of Asterisk is read, and what would lose an alarm is a warning."""
    asterisk = tmp_path / "alarmreceiver.conf"
    asterisk.write_text("[general]\neventspooldir = /tmp\n", encoding="utf-8")
    (tmp_path / "alarms").mkdir()
    add(config, f'\n[[spool]]\nname = "pbx"\ndirectory = "{tmp_path}/alarms"\nconfig = "{asterisk}"\n')

    done = vetlla("check-config")

    assert done.status == 0
    assert f"  pbx: files of Asterisk in {tmp_path}/alarms\n" in done.out
    assert "logindividualevents is not yes" in " ".join(done.out.split())
    assert "it gets no file" in " ".join(done.out.split())


def test_the_summary_is_there_for_machines(vetlla: Vetlla, config: Path, state_dir: Path) -> None:
    """The fields are stable, and files of conf.d are named."""
    (config.parent / "conf.d").mkdir()
    (config.parent / "conf.d" / "a.toml").write_text("[limits]\nconnections = 5\n", encoding="utf-8")

    (report,) = vetlla("check-config", "--config", config, "--json").json

    assert report == {
        "ok": True,
        "files": [str(config), f"{config.parent}/conf.d/a.toml"],
        "state_dir": str(state_dir),
        "keys_file": f"{state_dir}/keys.toml",
        "listen": [
            {"protocol": "dc09", "name": "dc09", "transports": ["tcp", "udp"], "address": "127.0.0.1:0", "tls": False}
        ],
        "spool": [],
        "line": [],
        "mqtt": [],
        "sinks": [],
        "certificates": [],
        "accounts": 0,
        "keys": 0,
        "warnings": [],
        "not_checked": [],
    }
    assert f"{config} and 1 of conf.d: usable" in vetlla("check-config").out


def test_a_directory_is_no_configuration(vetlla: Vetlla, tmp_path: Path) -> None:
    """The remedy fits the cause, because this user may read the directory."""
    done = vetlla("check-config", "--config", tmp_path)
    assert (done.status, done.error) == (
        os.EX_CONFIG,
        f"{tmp_path}: Is a directory\n  -> name a file, such as {tmp_path}/vetlla.toml",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[limits]\nconections = 5\n", 'limits.conections: unknown key\n  -> did you mean "connections"?'),
        (
            '[[listen]]\nprotocol = "dc9"\nhost = "::1"\nport = 0\n',
            "unknown protocol 'dc9'\n  -> did you mean \"dc09\"?",
        ),
        ('[[listen]]\nprotocol = "zzz"\nhost = "::1"\nport = 0\n', "unknown protocol 'zzz'\n  -> one of "),
        ("[limits\n", "not TOML"),
        (
            '[[listen]]\nprotocol = "eview"\nhost = "::1"\nport = 0\ntransports = ["udp"]\n',
            "listen eview: eview is not spoken over udp\n  -> its transports: tcp",
        ),
        (
            '[[listen]]\nprotocol = "mqtt"\nhost = "::1"\nport = 0\n',
            "listen mqtt: mqtt is not spoken over tcp or udp\n  -> name the broker in a [[mqtt]] table",
        ),
        (
            '[[listen]]\nprotocol = "scaip"\nhost = "::1"\nport = 0\n',
            "listen scaip: scaip is not spoken over tcp or udp\n  -> name the address in a [[sip]] table",
        ),
        (
            '[[sip]]\nhost = "::1"\naccept_from = ["everywhere"]\n',
            "sip[1].accept_from[1]: should be an address or a network",
        ),
        ('[[sip]]\nhost = "::1"\npbx = "pbx.example"\n', "sip[1].pbx: should be an address such as"),
    ],
)
def test_a_bad_configuration_exits_with_78(vetlla: Vetlla, config: Path, text: str, told: str) -> None:
    """People and machines get the same error and remedy."""
    add(config, text)

    done = vetlla("check-config", "--json")

    assert done.status == os.EX_CONFIG
    assert told in done.error
    assert done.error == f"{done.json[0]['error']}\n  -> {done.json[0]['remedy']}"
    assert done.json[0]["ok"] is False


def test_a_configuration_without_a_listener_is_refused(vetlla: Vetlla, config: Path) -> None:
    """A receiver without a listener hears no device, so it is refused."""
    config.write_text("", encoding="utf-8")

    assert "nothing to listen on" in vetlla("check-config").error


def test_a_fault_that_prevents_a_start_exits_with_78(vetlla: Vetlla, state_dir: Path) -> None:
    """Others can read the keys, a key that accounts need is missing, or the registry is damaged."""
    vetlla("accounts", "set", "1", "--key-name", "north")
    assert "keys.toml: No such file" in vetlla("check-config").error

    vetlla("keys", "set", "north", "--hex", stdin=HEX)
    assert vetlla("check-config").status == 0

    (state_dir / "keys.toml").chmod(0o640)
    done = vetlla("check-config")
    assert (done.status, "chmod 600" in done.error) == (os.EX_CONFIG, True)

    (state_dir / "keys.toml").chmod(0o600)
    (state_dir / "registry.db").write_bytes(b"not a registry" * 100)
    done = vetlla("check-config")
    assert (done.status, "file is not a database" in done.error) == (os.EX_CONFIG, True)


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[queue.priorities]\nfall = "ROUTINE"\n', "queue.priorities: fall is a call for help"),
        ('[control]\noperators = "no-such-group"\n', "control.operators: there is no group no-such-group"),
        ('[control]\nengineers = "no-such-group"\n', "control.engineers: there is no group no-such-group"),
        ('[http]\nhost = "192.0.2.1"\n', "http: cannot listen on 192.0.2.1:9109"),
        (
            '[[listen]]\nprotocol = "eview"\nhost = "192.0.2.1"\nport = 9010\n',
            "listen eview: cannot listen on 192.0.2.1:9010",
        ),
        (
            '[[mqtt]]\nhost = "127.0.0.1"\nnode = "arc-1"\nusername = "arc"\npassword_file = "/missing"\n',
            "mqtt mqtt: /missing: No such file",
        ),
    ],
)
def test_faults_that_a_start_refuses_are_refused_here(vetlla: Vetlla, config: Path, text: str, told: str) -> None:
    """A group, an address or a file does not exist on this machine."""
    add(config, text)

    done = vetlla("check-config")

    assert (done.status, told in done.error) == (os.EX_CONFIG, True), done.error


def test_all_faults_are_reported_at_once(vetlla: Vetlla, config: Path) -> None:
    """An engineer has to correct the file only once."""
    add(config, '[control]\noperators = "no-such-group"\n[[listen]]\nprotocol = "dc9"\nhost = "127.0.0.1"\nport = 0\n')

    done = vetlla("check-config")

    assert done.error.startswith("2 settings cannot be used\n")
    assert "unknown protocol 'dc9'" in done.error
    assert "no group no-such-group" in done.error


def test_without_config_option_the_usual_file_is_checked(
    vetlla: Vetlla, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If VETLLA_CONFIG names a missing file, this is an error; the defaults are not used."""
    monkeypatch.setenv("VETLLA_CONFIG", str(state_dir / "none.toml"))

    done = vetlla("check-config")
    assert (done.status, "none.toml: no such file" in done.error) == (os.EX_CONFIG, True)


def test_a_user_who_may_not_read_is_told_what_was_not_checked(vetlla: Vetlla, config: Path) -> None:
    """An engineer who is not the receiver's user still sees whether the configuration itself is good."""
    with reachable_directory() as folder:
        there = folder / "vetlla.toml"
        there.write_bytes(config.read_bytes())
        vetlla("accounts", "set", "1", "--state-dir", folder)
        (folder / "registry.db").chmod(0)
        folder.chmod(0o555)
        with unprivileged():
            done = vetlla("check-config", "--config", there, "--state-dir", folder, "--json")

    (report,) = done.json
    assert (done.status, report["ok"], report["accounts"], report["keys"]) == (os.EX_NOPERM, False, None, None)
    (closed,) = report["not_checked"]
    assert closed.endswith(f" may not read {folder}/registry.db")
    assert done.error.startswith(f"not checked: {closed}\n  -> ")


def test_a_closed_state_directory_is_reported(vetlla: Vetlla, config: Path) -> None:
    """If this user may not read a directory, the summary leaves accounts and keys out."""
    with reachable_directory() as folder:
        there = folder / "vetlla.toml"
        there.write_bytes(config.read_bytes())
        (folder / "state").mkdir(mode=0o000)
        with unprivileged():
            done = vetlla("check-config", "--config", there, "--state-dir", folder / "state")

    assert done.status == os.EX_NOPERM
    assert done.out.startswith(f"{there}: usable\n")
    assert f"may not enter {folder}/state\n  -> " in done.error
    assert " accounts, " not in done.out


def test_a_machine_may_have_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is then the file at the usual place, or None if there is no file."""
    monkeypatch.delenv("VETLLA_CONFIG", raising=False)

    assert configuration_file() == (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)


def test_the_installed_program_says_78(config: Path) -> None:
    """A script sees this status, stderr and stdout."""
    add(config, "[log]\nformat = 'jsn'\n")

    done = subprocess.run([VETLLA, "check-config", "--json"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == os.EX_CONFIG
    assert done.stderr.startswith(f"vetlla: {config}: log.format: should be 'auto', 'json' or 'console'")
    assert json.loads(done.stdout)["ok"] is False
