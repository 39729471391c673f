"""``vetlla check-config`` sums up a usable configuration, for people and for machines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.cli.check_config.conftest import add
from vetlla.cli.kit.options import DEFAULT_CONFIG, configuration_file

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Vetlla


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
        "mqtt": [],
        "certificates": [],
        "accounts": 0,
        "keys": 0,
        "warnings": [],
        "not_checked": [],
    }
    assert f"{config} and 1 of conf.d: usable" in vetlla("check-config").out


def test_without_config_option_the_usual_file_is_checked(
    vetlla: Vetlla, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If VETLLA_CONFIG names a missing file, this is an error; the defaults are not used."""
    monkeypatch.setenv("VETLLA_CONFIG", str(state_dir / "none.toml"))

    done = vetlla("check-config")
    assert (done.status, "none.toml: no such file" in done.error) == (os.EX_CONFIG, True)


def test_a_machine_may_have_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is then the file at the usual place, or None if there is no file."""
    monkeypatch.delenv("VETLLA_CONFIG", raising=False)

    assert configuration_file() == (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
