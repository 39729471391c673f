"""Supervision by the running daemon: it notices a silent terminal, even after a kill or a reload."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.rigs.broker import running_broker
from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.mqtt_device import Device
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "supervision = { tolerance_s = 0.5, allowed_misses = 2 }"
ACCOUNTS = "account,home,interval_s\n1234,H-1,1\n"


def register(directory: Path, rows: str = ACCOUNTS) -> None:
    (directory / "state").mkdir(parents=True)
    done = vetlla("accounts", "import", "-", "--format", "csv", stdin=rows, state_dir=directory / "state")
    assert done.returncode == 0, done.stderr


def test_a_terminal_that_falls_silent_is_noticed_and_its_return_too(tmp_path: Path) -> None:
    """A terminal sends one heartbeat and is lost two seconds later. Its next heartbeat ends the alarm."""
    register(tmp_path)
    with running(tmp_path, config=CONFIG) as daemon:
        with Terminal(daemon.port, "1234") as terminal:
            terminal.heartbeat()
        alarm = daemon.await_alarm()
        assert (alarm["kind"], alarm["home"], alarm["priority"]) == ("device_lost", "H-1", "TECHNICAL")
        with Terminal(daemon.port, "1234") as terminal:
            terminal.heartbeat()
        daemon.await_log("device.turned", state="ok", before="lost")
        assert daemon.metric("vetlla_heartbeats_total", protocol="dc09") == 2.0


def test_the_next_run_knows_what_a_killed_receiver_knew(tmp_path: Path) -> None:
    """A lost device stays lost with the same alarm. Other devices have one interval of grace before they are lost."""
    register(tmp_path, ACCOUNTS + "5678,H-2,3\n")
    daemon = Daemon(tmp_path, config=CONFIG)
    try:
        daemon.start()
        with Terminal(daemon.port, "5678") as terminal:
            terminal.heartbeat()
        before = daemon.await_alarm()
        daemon.kill()
        daemon.start()
        first, second = daemon.await_queue(lambda alarms: len(alarms) == 2)
        assert first["id"] == before["id"]
        assert (first["home"], second["home"]) == ("H-1", "H-2")
        assert vetlla("audit", "verify", state_dir=daemon.state_dir).returncode == 0
    finally:
        daemon.close()


def test_a_reload_applies_a_new_interval(tmp_path: Path) -> None:
    """The receiver supervises an account that gets an interval, without a restart."""
    register(tmp_path, "account,home\n1234,H-1\n")
    with running(tmp_path, config=CONFIG) as daemon:
        done = vetlla("accounts", "set", "1234", "--interval", "1s", state_dir=daemon.state_dir)
        assert done.returncode == 0, done.stderr
        assert daemon.await_alarm()["kind"] == "device_lost"


def test_pendants_at_a_broker_are_supervised_and_a_dead_broker_is_one_incident(tmp_path: Path) -> None:
    """A UCR that stops its presence over MQTT is lost. When the broker fails, all are lost as one incident."""
    terminals = [f"T{number}" for number in range(12)]
    rows = "".join(f"{terminal},H-{terminal},2,2\n" for terminal in terminals)
    with running_broker(tmp_path / "broker") as broker, ExitStack() as stack:
        register(tmp_path / "receiver", f"account,home,interval_s,ucr_interval_s\n{rows}")
        config = f'{CONFIG}\n[[mqtt]]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "arc-1"\nretry_max_s = 0.5\n'
        daemon = stack.enter_context(running(tmp_path / "receiver", config=config))
        daemon.await_status(lambda status: all(place.get("connected", True) for place in status["listening"]))
        with ExitStack() as devices:
            fleet = [devices.enter_context(Device(terminal, broker.port)) for terminal in terminals]
            stop = threading.Event()

            def beat() -> None:
                while not stop.wait(0.5):
                    for number, device in enumerate(fleet):
                        device.publish("hb", {"boot": 1, "seq": 1})
                        if number or not gone.is_set():
                            device.publish("ucr-1/hb", {"boot": 1, "seq": 1})

            gone = threading.Event()
            beating = threading.Thread(target=beat)
            beating.start()
            try:
                daemon.await_status(lambda status: status["counts"]["heartbeats"] > 2 * len(fleet))
                gone.set()
                alarm = daemon.await_alarm()
                assert (alarm["home"], alarm["kind"]) == ("H-T0", "device_lost")
                assert "from ucr-1" in alarm["why"]
                gone.clear()
                daemon.await_queue(lambda alarms: not alarms)
                broker.kill()
                (alarm,) = daemon.await_queue(lambda alarms: [one["home"] for one in alarms] == ["incident 1"])
                assert "listener:mqtt" in alarm["why"]
            finally:
                stop.set()
                beating.join()
