"""``vetlla check-config`` exits with 78 for a configuration that a start refuses, and names each fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.check_config.conftest import add

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
HEX = "00112233445566778899aabbccddeeff"


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


def test_the_installed_program_says_78(config: Path) -> None:
    """A script sees this status, stderr and stdout."""
    add(config, "[log]\nformat = 'jsn'\n")

    done = subprocess.run([VETLLA, "check-config", "--json"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == os.EX_CONFIG
    assert done.stderr.startswith(f"vetlla: {config}: log.format: should be 'auto', 'json' or 'console'")
    assert json.loads(done.stdout)["ok"] is False
