"""The shipped broker configuration: TLS, one identity for each client, and an ACL that limits it to its topics."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.rigs.broker import running_broker
from tests.rigs.certificates import Authority
from tests.rigs.daemon import Daemon, Ended, running, vetlla
from tests.rigs.journal import query
from tests.rigs.mqtt_device import Device
from tests.rigs.registered_homes import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.rig.broker import Broker

SHIPPED = Path(__file__).parents[3] / "config" / "mosquitto"
PRESS = {"dty": "0003", "stc": "0010"}
NOT_AUTHORISED = 0x87
RECEIVER = """
[[mqtt]]
host = "127.0.0.1"
port = {port}
node = "arc-1"
retry_max_s = 0.5
tls = {{ ca = "{ca}", certificate = "{certificate}", key = "{key}" }}
"""


class Town(NamedTuple):
    broker: Broker
    authority: Authority
    daemon: Daemon

    def device(self, terminal: str, *, certificate_of: str = "", authority: Authority | None = None) -> Device:
        """Return a terminal with a certificate of that name."""
        pair = (authority or self.authority).issue(certificate_of or terminal)
        return Device(
            terminal,
            self.broker.port,
            will=False,
            prepare=lambda client: client.tls_set(
                str(self.authority.certificate), str(pair.certificate), str(pair.key)
            ),
        )


def shipped(authority: Authority) -> str:
    """Return the shipped configuration. Only port, paths and the user are changed for this test."""
    pair = authority.issue("broker")
    here = {
        "listener 8883": "listener {port} 127.0.0.1",
        "/etc/mosquitto/ca_certificates/vetlla-ca.pem": str(authority.certificate),
        "/etc/mosquitto/certs/broker.pem": str(pair.certificate),
        "/etc/mosquitto/certs/broker.key": str(pair.key),
        "/etc/mosquitto/vetlla.acl": str(SHIPPED / "vetlla.acl"),
        "/var/lib/mosquitto/": "{directory}/",
    }
    config = (SHIPPED / "mosquitto.conf").read_text(encoding="utf-8")
    for theirs, ours in here.items():
        assert theirs in config, theirs
        config = config.replace(theirs, ours)
    return f"user root\n{config}"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    authority = Authority(tmp_path / "ca")
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(tmp_path / "broker", shipped(authority)))
        register(tmp_path / "receiver" / "state", "A,HA,,", "B,HB,,")
        pair = authority.issue("arc-1")
        text = RECEIVER.format(port=broker.port, ca=authority.certificate, certificate=pair.certificate, key=pair.key)
        daemon = stack.enter_context(running(tmp_path / "receiver", config=text))
        daemon.await_log("mqtt.connected")
        yield Town(broker, authority, daemon)


def test_a_terminal_is_heard_and_receipted(town: Town) -> None:
    """A terminal with a certificate of the service's authority can report and read its receipts."""
    with town.device("A") as device:
        device.publish("ucr-1/ev", {"ref": "1", **PRESS})
        assert device.await_receipt("1") == {"ref": "1", "status": "accepted"}


def test_a_terminal_cannot_speak_for_another(town: Town) -> None:
    """The broker refuses everything that A publishes below B, and passes it to no client."""
    with town.device("A") as device:
        for leaf in ("hb", "ucr-1/hb", "ucr-1/ev", "ev", "$state", "$info", "receipt"):
            mid = device.publish("", {"ref": "stolen", **PRESS}, topic=f"tc/1/B/{leaf}")
            assert device.await_code(mid) == NOT_AUTHORISED, leaf
        assert device.await_code(device.publish("", "lost", topic="tc/1/arc/arc-1/$state")) == NOT_AUTHORISED
        device.publish("ucr-1/ev", {"ref": "own", **PRESS})
        assert device.await_receipt("own")

    rows = query(town.daemon.state_dir, "SELECT account, sequence FROM signals")
    assert [tuple(row) for row in rows] == [("A", "own")]


def test_a_terminal_cannot_read_anothers_receipts(town: Town) -> None:
    """A subscription to everything brings A no message of B."""
    with town.device("B") as other, town.device("A") as curious:
        curious._client.subscribe("tc/#", qos=1)
        other.publish("ucr-1/ev", {"ref": "b-1", **PRESS})
        assert other.await_receipt("b-1")
        curious.publish("ucr-1/ev", {"ref": "a-1", **PRESS})
        assert curious.await_receipt("a-1")
        assert not [topic for topic, _, _ in curious.heard if topic.startswith("tc/1/B")]


def test_a_client_id_cannot_be_borrowed(town: Town) -> None:
    """A client with A's certificate is A under any client id, so B stays connected and is not impersonated."""
    with town.device("B") as honest, town.device("B", certificate_of="A") as thief:
        assert thief.await_code(thief.publish("ucr-1/ev", {"ref": "x", **PRESS})) == NOT_AUTHORISED
        honest.publish("ucr-1/ev", {"ref": "b-1", **PRESS})
        assert honest.await_receipt("b-1")


def test_a_certificate_of_another_authority_is_refused(town: Town, tmp_path: Path) -> None:
    """A client without a certificate of the service's authority cannot connect."""
    stranger = town.device("A", authority=Authority(tmp_path / "other", "another authority"))
    try:
        stranger.publish("ucr-1/ev", {"ref": "x", **PRESS})
        with town.device("B") as honest:
            honest.publish("ucr-1/ev", {"ref": "b-1", **PRESS})
            assert honest.await_receipt("b-1")
        assert not stranger._is_subscribed
    finally:
        stranger.close()
    assert [row["account"] for row in query(town.daemon.state_dir, "SELECT account FROM signals")] == ["B"]


def test_a_receiver_that_trusts_another_authority_says_so(town: Town, tmp_path: Path) -> None:
    """The receiver checks the broker's certificate, and its log names the settings to check."""
    other = Authority(tmp_path / "other", "another authority")
    pair = town.authority.issue("arc-2")
    text = RECEIVER.format(port=town.broker.port, ca=other.certificate, certificate=pair.certificate, key=pair.key)
    with running(tmp_path / "second", config=text) as daemon:
        line = daemon.await_log("mqtt.lost")
        assert "certificate" in line["why"].lower()
        assert "ca, certificate and key" in line["remedy"]


def test_a_receiver_does_not_start_with_unusable_files(tmp_path: Path) -> None:
    """A receiver does not start with an unusable TLS file, or with a password that every user can read."""
    missing = tmp_path / "missing.pem"
    text = RECEIVER.format(port=1883, ca=missing, certificate=missing, key=missing)
    with pytest.raises(Ended) as ended, running(tmp_path / "a", config=text):
        pass
    assert ended.value.status == 78
    assert str(missing) in ended.value.told

    password = tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    password.chmod(0o644)
    text = f'[[mqtt]]\nhost = "127.0.0.1"\nnode = "a"\nusername = "a"\npassword_file = "{password}"\n'
    with pytest.raises(Ended) as ended, running(tmp_path / "b", config=text):
        pass
    assert ended.value.status == 78
    assert f"chmod o= {password}" in ended.value.told
    assert "secret" not in ended.value.told
    told = vetlla("check-config", "--config", str(tmp_path / "b" / "vetlla.toml"))
    assert told.returncode == 78, "the fault that ends the start is an error here too"
    assert f"chmod o= {password}" in told.stdout + told.stderr
