"""``vetlla receiver``: its options and configuration, and its errors when it cannot start."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon, Ended, bound_by_permissions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Return a receiver that is not started yet."""
    receiver = Daemon(tmp_path)
    yield receiver
    receiver.close()


def test_listen_and_state_dir_may_replace_a_file(daemon: Daemon) -> None:
    """To try it out, a user needs no configuration, only an address and a directory."""
    options = ("--listen", "dc09=127.0.0.1:0", "--state-dir", str(daemon.state_dir))
    daemon.start(options=options, environment={"VETLLA_CONFIG": ""})
    assert {place["transport"] for place in daemon.status()["listening"]} == {"tcp", "udp"}
    assert daemon.stop() == 0
    assert [line["event"] for line in daemon.log if line["event"].startswith("receiver.")] == [
        "receiver.ready",
        "receiver.drained",
        "receiver.stopped",
    ]


USUAL = """
import sys
from pathlib import Path
from vetlla.cli.kit import options
options.required_configuration.__defaults__ = (Path(sys.argv.pop(1)),)
from vetlla.__main__ import main
main()
"""
"""The program with another usual place of its configuration, because a test must not write into /etc."""


def test_without_an_option_the_usual_configuration_is_read(daemon: Daemon) -> None:
    """Like every other command it reads the file that VETLLA_CONFIG names, or the usual one."""
    daemon.configure(f'state_dir = "{daemon.state_dir}"\n[store]\nmin_free_mib = 1\n')
    daemon.start(options=("--state-dir", str(daemon.state_dir)), environment={"VETLLA_CONFIG": str(daemon.config_file)})
    assert daemon.status()["process"]["config"] == str(daemon.config_file)
    assert daemon.stop() == 0

    program = (sys.executable, "-c", USUAL, str(daemon.config_file), "receiver")
    daemon.start(
        wrapper=("/bin/sh", "-c", 'shift 2; exec "$@"', "sh"), options=program, environment={"VETLLA_CONFIG": ""}
    )
    assert daemon.status()["process"]["config"] == str(daemon.config_file)
    assert daemon.stop() == 0


def test_an_unreadable_usual_configuration_is_not_ignored(daemon: Daemon) -> None:
    """With the defaults it would be another receiver, so the status is 77, and the error says who may read the file."""
    daemon.config_file.chmod(0)
    program = (sys.executable, "-c", USUAL, str(daemon.config_file), "receiver", "--listen", "dc09=127.0.0.1:0")
    with pytest.raises(Ended) as ended:
        daemon.start(
            wrapper=("/bin/sh", "-c", 'shift 2; exec "$@"', "sh"),
            options=program,
            environment={"VETLLA_CONFIG": ""},
            preexec=bound_by_permissions,
        )
    assert ended.value.status == os.EX_NOPERM
    assert f"{daemon.config_file}: Permission denied" in ended.value.told


def test_listen_replaces_the_configured_listeners(daemon: Daemon) -> None:
    """The option of the command line counts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        daemon.listen_port = taken.getsockname()[1]
        daemon.configure("")
        options = ("--config", str(daemon.config_file), "--state-dir", str(daemon.state_dir))
        daemon.start(options=(*options, "--listen", "dc09=127.0.0.1:0"))
        assert daemon.port != taken.getsockname()[1]
        assert daemon.stop() == 0


LINE = '[[line]]\nname = "sg"\nprotocol = "surgard"\nconnect = { host = "127.0.0.1", port = 1 }\n'


def test_listen_leaves_brokers_and_line_receivers_out_and_says_so(daemon: Daemon) -> None:
    """A receiver started by hand must not take the service's session at a broker, or its line receivers' messages."""
    daemon.configure('[[mqtt]]\nhost = "127.0.0.1"\nport = 1\nnode = "arc-1"\nname = "pendants"\n' + LINE)
    options = ("--config", str(daemon.config_file), "--state-dir", str(daemon.state_dir))
    daemon.start(options=(*options, "--listen", "dc09=127.0.0.1:0"))

    assert {place["protocol"] for place in daemon.status()["listening"]} == {"dc09"}
    line = daemon.await_log("receiver.listeners_left_out")
    assert (line["level"], line["brokers"], line["lines"]) == ("warning", ["pendants"], ["sg"])
    assert daemon.status()["lines"] == []
    assert "without --listen" in line["remedy"]
    assert daemon.stop() == 0


def test_nothing_to_listen_on(vetlla: Vetlla, tmp_path: Path) -> None:
    """A receiver that could not hear any device does not start."""
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    done = vetlla("receiver", "--config", empty, "--state-dir", tmp_path)
    assert done.status == os.EX_CONFIG
    assert "nothing to listen on" in done.error
    assert "--listen dc09=HOST:PORT" in done.error


@pytest.mark.parametrize(
    ("listen", "said"),
    [("9009", "9009"), ("dc09=127.0.0.1", "127.0.0.1"), ("dc09=127.0.0.1:seventy", "seventy"), ("=x:1", "=x:1")],
)
def test_a_listener_that_cannot_be_understood(vetlla: Vetlla, tmp_path: Path, listen: str, said: str) -> None:
    """The message repeats the given text and shows the right form."""
    done = vetlla("receiver", "--listen", listen, "--state-dir", tmp_path)
    assert done.status == os.EX_USAGE
    assert said in done.error
    assert "like dc09=" in done.error


def test_an_unknown_protocol(daemon: Daemon) -> None:
    """The error names the known protocols."""
    with pytest.raises(Ended) as ended:
        daemon.start(options=("--listen", "morse=127.0.0.1:0", "--state-dir", str(daemon.state_dir)))
    assert ended.value.status == os.EX_CONFIG
    assert "unknown protocol 'morse'" in ended.value.told
    assert "dc09" in ended.value.told
