"""``vetlla doctor`` with real brokers that accept it, refuse it or do not run."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bench.rig.broker import OPEN
from tests.rigs.broker import need_broker, running_broker
from tests.rigs.certificates import Authority
from tests.rigs.daemon import running, vetlla

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.rig.broker import Broker

WITH_PASSWORD = "allow_anonymous false\npassword_file {passwords}"
WITH_CERTIFICATE = "allow_anonymous true\nrequire_certificate true"
TLS = "cafile {ca}\ncertfile {certificate}\nkeyfile {key}"


class Site(NamedTuple):
    """A broker, and the keys of a fully correct ``[[mqtt]]`` table."""

    broker: Broker
    table: dict[str, str]
    directory: Path

    def doctor(self, **changes: str) -> dict[str, Any]:
        """Return the finding about the broker. Some keys are changed, or left out if they are empty."""
        table = {key: value for key, value in {**self.table, **changes}.items() if value}
        text = "".join(f"{key} = {value}\n" for key, value in table.items())
        file = self.directory / "vetlla.toml"
        file.write_text(f'state_dir = "{self.directory}"\n[[mqtt]]\n{text}', encoding="utf-8")
        done = vetlla("doctor", "--config", str(file), "--json")
        assert done.stderr == ""
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        (found,) = [finding for finding in findings if finding["check"] == "broker pendants"]
        assert (found["level"] == "critical") <= (done.returncode == 2)
        assert bool(found["remedy"]) == (found["level"] != "ok")
        assert str(self.broker.port) in found["text"]
        return {**found}


@pytest.fixture(params=[WITH_PASSWORD])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    need_broker()  # mosquitto_passwd comes with the same package
    authority = Authority(tmp_path / "ca")
    pair = authority.issue("broker")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "arc", "right"], check=True)
    asked = f"{request.param}\n{TLS}".format(
        passwords=passwords, ca=authority.certificate, certificate=pair.certificate, key=pair.key
    )
    with running_broker(tmp_path / "broker", OPEN.replace("allow_anonymous true", asked)) as broker:
        table = {
            "name": '"pendants"',
            "host": '"127.0.0.1"',
            "port": f"{broker.port}",
            "node": '"arc-1"',
            "tls": f'{{ ca = "{authority.certificate}" }}',
            "username": '"arc"',
            "password_file": _password(tmp_path, "right"),
        }
        yield Site(broker, table, tmp_path)


def _password(directory: Path, text: str) -> str:
    file = directory / text
    file.write_text(f"{text}\n", encoding="utf-8")
    file.chmod(0o600)
    return f'"{file}"'


def _authority(directory: Path) -> str:
    return f'{{ ca = "{Authority(directory / "other", "another authority").certificate}" }}'


def test_a_broker_that_accepts_the_receiver(site: Site) -> None:
    """Address, certificate, password and protocol are right."""
    found = site.doctor()
    assert found["level"] == "ok"
    assert found["text"] == f"127.0.0.1:{site.broker.port} accepts arc-1"


@pytest.mark.parametrize(
    ("changes", "why", "remedy"),
    [
        (lambda folder: {"password_file": _password(folder, "wrong")}, "Not authorized", "password file"),
        (lambda _: {"username": "", "password_file": ""}, "Not authorized", "user name"),
        (lambda folder: {"password_file": f'"{folder / "none"}"'}, "No such file", "write the secret there"),
        (lambda folder: {"tls": _authority(folder)}, "certificate verify failed", "check ca,"),
        (lambda folder: {"tls": f'{{ ca = "{folder / "none"}" }}'}, "no such file", "name a PEM file"),
        (lambda _: {"tls": ""}, "unanswered", "uses TLS"),
    ],
)
def test_the_wrong_setting_is_named(
    site: Site, changes: Callable[[Path], dict[str, str]], why: str, remedy: str
) -> None:
    """One setting is wrong; the finding names it and says what to check."""
    found = site.doctor(**changes(site.directory))
    assert found["level"] == "critical"
    assert why in found["text"]
    assert remedy in found["remedy"]


def test_a_broker_that_is_down(site: Site) -> None:
    """No program listens at its port."""
    site.broker.kill()
    found = site.doctor()
    assert found["level"] == "critical"
    assert "refused" in found["text"]
    assert "check that the broker runs" in found["remedy"]


@pytest.mark.parametrize("site", [WITH_CERTIFICATE], indirect=True)
def test_a_broker_that_asks_for_a_certificate(site: Site) -> None:
    """Mosquitto disconnects a client without one, after the handshake and without an MQTT packet."""
    found = site.doctor()
    assert found["level"] == "critical"
    assert "the broker demands a certificate" in found["remedy"]


def test_doctor_does_not_disconnect_a_receiver_from_its_broker(site: Site) -> None:
    """Nothing is tried while the receiver is connected, because the broker would take it for the receiver itself."""
    text = "".join(f"{key} = {value}\n" for key, value in site.table.items())
    with running(site.directory / "receiver", config=f"[[mqtt]]\n{text}") as daemon:
        daemon.await_log("mqtt.connected")
        done = vetlla("doctor", "--config", str(daemon.config_file), "--state-dir", str(daemon.state_dir), "--json")
        assert "the receiver is connected" in done.stdout
        assert not daemon.logged("mqtt.lost")


def test_doctor_does_not_disconnect_a_receiver_that_does_not_answer(site: Site) -> None:
    """The receiver hangs, or this user may not ask it; it may still be connected."""
    text = "".join(f"{key} = {value}\n" for key, value in site.table.items())
    with running(site.directory / "receiver", config=f"[[mqtt]]\n{text}") as daemon:
        daemon.await_log("mqtt.connected")
        daemon.tell(signal.SIGSTOP)
        try:
            done = vetlla("doctor", "--config", str(daemon.config_file), "--state-dir", str(daemon.state_dir), "--json")
        finally:
            daemon.tell(signal.SIGCONT)
        (found,) = [one for one in map(json.loads, done.stdout.splitlines()) if one["check"] == "broker pendants"]
        assert found["level"] == "unknown"
        assert "was not tried" in found["text"]
        daemon.status()
        assert not daemon.logged("mqtt.lost")
