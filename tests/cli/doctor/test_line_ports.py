"""``vetlla doctor`` and the ports of line receivers, with and without a running receiver."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from tests.rigs.daemon import vetlla
from tests.rigs.line_port import ACK, HEARTBEAT, NAK, daemon_with_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.daemon import Daemon

PARITY_7E1 = bytes(byte | (byte.bit_count() % 2) << 7 for byte in b"5011 181234E10100007\x14")


def doctor(config: Path, state_dir: Path) -> dict[str, Any]:
    done = vetlla("doctor", "--config", str(config), "--json", state_dir=state_dir)
    assert done.stderr == ""
    (found,) = [one for one in map(json.loads, done.stdout.splitlines()) if one["check"] == "line sg"]
    return {**found}


def of(daemon: Daemon) -> dict[str, Any]:
    return doctor(daemon.config_file, daemon.state_dir)


def test_a_running_receiver_tells_what_its_port_does(tmp_path: Path) -> None:
    """Nothing came, frames come, another parity comes, the port is closed: each has its finding."""
    with daemon_with_port(tmp_path, "connect") as (daemon, port):
        assert of(daemon)["level"] == "warning"
        assert port.call(HEARTBEAT) == ACK
        found = of(daemon)
        assert (found["level"], found["text"].endswith("is open, 1 frames")) == ("ok", True)
        assert port.call(PARITY_7E1) == NAK
        assert "7 bits with even parity" in of(daemon)["text"]
    daemon.start()
    found = of(daemon)
    daemon.close()
    assert (found["level"], "not open" in found["text"]) == ("critical", True)


def test_without_a_receiver_the_port_is_opened_and_closed_again(tmp_path: Path) -> None:
    """Nothing is read from it; a port that is not there has its remedy."""
    file = tmp_path / "vetlla.toml"
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        where = f'host = "127.0.0.1", port = {receiver.getsockname()[1]}'
        file.write_text(f'[[line]]\nname = "sg"\nprotocol = "surgard"\nconnect = {{ {where} }}\n', encoding="utf-8")
        assert doctor(file, tmp_path)["level"] == "ok"
    found = doctor(file, tmp_path)
    assert (found["level"], "cannot be reached" in found["text"]) == ("critical", True)
    assert found["remedy"]
    device = f'serial = {{ device = "{tmp_path / "tty"}" }}'
    file.write_text(f'[[line]]\nname = "sg"\nprotocol = "surgard"\n{device}\n', encoding="utf-8")
    assert "there is no such device" in doctor(file, tmp_path)["text"]
    file.write_text('[[line]]\nname = "sg"\nprotocol = "surgard"\naccept = { host = "127.0.0.1", port = 0 }\n')
    assert doctor(file, tmp_path)["level"] == "ok"
