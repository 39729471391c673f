"""A receiver that cannot start prints the reason and a remedy, ends with the right status, and loses nothing."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from shutil import copytree
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import Daemon, Ended, bound_by_permissions, running
from tests.rigs.registered_homes import keep_key, register
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = "[store]\nmin_free_mib = 1\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Return the directory of a stopped daemon that took an alarm, and that alarm's frame."""
    directory = tmp_path_factory.mktemp("kept")
    with running(directory, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        frame = terminal.alarm()
        terminal.hang_up()
        assert daemon.stop() == 0
    return directory, frame


@pytest.fixture
def daemon(kept: tuple[Path, bytes], tmp_path: Path) -> Daemon:
    """Return a separate daemon for each test, stopped with an alarm in its journal."""
    copytree(kept[0], tmp_path, dirs_exist_ok=True)
    return Daemon(tmp_path, config=CONFIG)


def refusal(daemon: Daemon, *options: str) -> Ended:
    """Return the end of a start that must fail. It must print one message with a remedy, and no traceback."""
    with pytest.raises(Ended) as ended:
        daemon.start(preexec=bound_by_permissions, options=options)
    daemon.close()
    told = ended.value.told
    assert told.startswith("vetlla: ")
    assert "\n  -> " in told
    assert "Traceback" not in told
    return ended.value


def malformed(daemon: Daemon) -> str:
    daemon.config_file.write_text("[store\n", encoding="utf-8")
    return "vetlla.toml: not TOML"


def unknown_key(daemon: Daemon) -> str:
    daemon.configure("[store]\nmin_free_mb = 1\n")
    return "store.min_free_mb: unknown key"


def wrong_type(daemon: Daemon) -> str:
    daemon.configure('[limits]\nconnections = "many"\n')
    return "limits.connections"


def no_such_protocol(daemon: Daemon) -> str:
    daemon.configure('[[listen]]\nprotocol = "dc9"\nhost = "127.0.0.1"\nport = 0\n')
    return "unknown protocol 'dc9'"


def unreadable_config(daemon: Daemon) -> str:
    daemon.config_file.chmod(0)
    return "vetlla.toml: Permission denied"


def unreadable_keys(daemon: Daemon) -> str:
    keep_key(daemon.state_dir, "north", bytes(16))
    (daemon.state_dir / "keys.toml").chmod(0)
    return "keys.toml: "


def keys_for_everybody(daemon: Daemon) -> str:
    keep_key(daemon.state_dir, "north", bytes(16))
    (daemon.state_dir / "keys.toml").chmod(0o644)
    return "keys.toml"


def garbled_keys(daemon: Daemon) -> str:
    keep_key(daemon.state_dir, "north", bytes(16))
    (daemon.state_dir / "keys.toml").write_text("[keys", encoding="utf-8")
    return "keys.toml"


CONFIGURATIONS = [
    malformed,
    unknown_key,
    wrong_type,
    no_such_protocol,
    unreadable_config,
    unreadable_keys,
    keys_for_everybody,
    garbled_keys,
]


@pytest.mark.parametrize("spoil", CONFIGURATIONS, ids=lambda spoil: spoil.__name__.replace("_", " "))
def test_a_configuration_that_cannot_be_used(
    daemon: Daemon, kept: tuple[Path, bytes], spoil: Callable[[Daemon], str]
) -> None:
    """The status is 78, or 77 for permissions. The message names the file and the fault, and stored data stays."""
    expected = spoil(daemon)
    ended = refusal(daemon)
    assert ended.status == (os.EX_NOPERM if spoil in CLOSED else os.EX_CONFIG)
    assert expected in ended.told
    assert journal.stored(daemon.state_dir) == {kept[1]: 1}


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_a_port_in_use(daemon: Daemon, kind: socket.SocketKind) -> None:
    """The status is 78, and the message names the listener and its address."""
    with socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", 0))
        daemon.listen_port = other.getsockname()[1]
        daemon.configure(CONFIG)
        ended = refusal(daemon)
    assert ended.status == os.EX_CONFIG
    assert f"listen dc09: cannot listen on 127.0.0.1:{daemon.listen_port}: Address already in use" in ended.told


def test_the_port_of_the_pages_in_use(daemon: Daemon) -> None:
    """The same holds for the port of metrics and readiness, because a receiver must be monitored."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = daemon.config_file.read_text(encoding="utf-8").replace("port = 0 }", f"port = {port} }}", 1)
        daemon.config_file.write_text(text, encoding="utf-8")
        ended = refusal(daemon)
    assert ended.status == os.EX_CONFIG
    assert f"http: cannot listen on 127.0.0.1:{port}" in ended.told


def test_nothing_to_listen_on(tmp_path: Path) -> None:
    """The start fails if neither a file nor an option names a listener."""
    ended = refusal(Daemon(tmp_path), "--state-dir", str(tmp_path / "state"))
    assert ended.status == os.EX_CONFIG
    assert "--listen" in ended.told


def read_only(daemon: Daemon) -> str:
    daemon.state_dir.chmod(0o500)
    for path in daemon.state_dir.iterdir():
        path.chmod(0o400)
    return str(daemon.state_dir)


def closed_to_us(daemon: Daemon) -> str:
    daemon.state_dir.chmod(0)
    return str(daemon.state_dir)


def newer(daemon: Daemon) -> str:
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    return "schema 9999 is newer"


def newer_registry(daemon: Daemon) -> str:
    register(daemon.state_dir, "1234,H-1,,")
    with closing(sqlite3.connect(daemon.state_dir / REGISTRY)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    return "schema 9999 is newer"


def no_database(daemon: Daemon) -> str:
    (daemon.state_dir / JOURNAL).rename(daemon.state_dir / "kept")
    (daemon.state_dir / JOURNAL).write_bytes(b"this was a journal once, and something wrote over it\n" * 100)
    return "not a database"


CLOSED = {unreadable_config, unreadable_keys, read_only, closed_to_us}
"""Faults of permissions. They have another exit status, and a remedy that names the user who may."""
STORES = [read_only, closed_to_us, newer, newer_registry, no_database]


@pytest.mark.parametrize("spoil", STORES, ids=lambda spoil: spoil.__name__.replace("_", " "))
def test_a_store_that_cannot_be_used(daemon: Daemon, kept: tuple[Path, bytes], spoil: Callable[[Daemon], str]) -> None:
    """The status is 74, or 77 for permissions. The message names the path and the fault, and nothing is changed."""
    expected = spoil(daemon)
    before = (daemon.state_dir if spoil is newer else kept[0] / "state") / JOURNAL
    content = before.read_bytes()
    ended = refusal(daemon)
    assert ended.status == (os.EX_NOPERM if spoil in CLOSED else os.EX_IOERR)
    assert expected in ended.told
    daemon.state_dir.chmod(0o750)
    assert (daemon.state_dir / ("kept" if spoil is no_database else JOURNAL)).read_bytes() == content


def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """The start fails if a file is in the place of the directory."""
    daemon = Daemon(tmp_path, config=CONFIG)
    daemon.state_dir.write_text("in the way", encoding="utf-8")
    ended = refusal(daemon)
    assert ended.status == os.EX_IOERR
    assert str(daemon.state_dir) in ended.told


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    """The message names the limit of a control socket's path, because few people know it."""
    daemon = Daemon(tmp_path, config=CONFIG)
    daemon.state_dir = tmp_path / ("long" * 30)
    ended = refusal(daemon)
    assert ended.status == os.EX_CONFIG
    assert "107" in ended.told


def test_a_second_receiver_on_one_state_directory(tmp_path: Path) -> None:
    """The second receiver ends with a message about the lock. The first one and its control socket still work."""
    first, second = Daemon(tmp_path / "one", config=CONFIG), Daemon(tmp_path / "two", config=CONFIG)
    second.state_dir = first.state_dir
    try:
        first.start()
        ended = refusal(second)
        assert ended.status == os.EX_IOERR
        assert "a receiver uses this state directory" in ended.told
        with Terminal(first.port) as terminal:
            terminal.alarm()
        assert len(first.queue()) == 1
    finally:
        second.close()
        first.close()
