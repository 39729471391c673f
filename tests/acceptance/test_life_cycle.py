"""A run of the receiver from socket activation to the last answer, as systemd and an engineer control it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import Daemon, Ended, running
from tests.rigs.registered_homes import register
from tests.rigs.strace import slow_disk
from tests.rigs.terminal import HungUp, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.protocols.dc09 import frame as dc09_frame

CONFIG = "[store]\nmin_free_mib = 1\n"
HIGH_FD = 50
"""Above the descriptors that systemd passes, which start at 3."""


# --- socket activation ------------------------------------------------------------------------------------------------


@contextmanager
def systemds_sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Open a listening socket and a datagram socket on one port, as a socket unit does."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as stream,
        socket.socket(type=socket.SOCK_DGRAM) as datagram,
    ):
        datagram.bind(stream.getsockname())
        yield stream, datagram


def start_activated(daemon: Daemon, *sockets: socket.socket) -> None:
    """Start a daemon with these sockets as descriptors 3, 4 ..., as in sd_listen_fds(3)."""
    with ExitStack() as stack:
        high = []
        for one in sockets:
            number = fcntl.fcntl(one, fcntl.F_DUPFD, HIGH_FD)
            high.append(number)
            stack.callback(os.close, number)
        moves = " ".join(f"{low}<&{number}" for low, number in enumerate(high, 3))
        closes = " ".join(f"{number}<&-" for number in high)
        daemon.start(
            wrapper=["bash", "-c", f'export LISTEN_PID=$$; exec {moves} {closes}; exec "$@"', "bash"],
            environment={"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(["dc09"] * len(sockets))},
            pass_fds=high,
        )


def test_a_restart_behind_systemds_sockets_refuses_no_caller(tmp_path: Path) -> None:
    """Calls and datagrams that come while no receiver runs wait in the sockets, and the next run answers them."""
    daemon = Daemon(tmp_path, config=CONFIG)
    with systemds_sockets() as (stream, datagram), ExitStack() as stack:
        stack.callback(daemon.close)
        port = stream.getsockname()[1]
        start_activated(daemon, stream, datagram)
        assert daemon.port == port
        assert {(one["transport"], one["port"]) for one in daemon.status()["listening"]} == {
            ("tcp", port),
            ("udp", port),
        }
        caller = stack.enter_context(Terminal(port, "1001"))
        mobile = stack.enter_context(Terminal(port, "1002", transport="udp"))
        caller.alarm()
        mobile.alarm()
        caller.hang_up()
        assert daemon.stop() == 0

        caller.send(caller.frame("1110"))
        mobile.send(mobile.frame("1110"))
        start_activated(daemon, stream, datagram)
        assert (caller.reply().token, mobile.reply().token) == ("ACK", "ACK")
        assert sum(journal.stored(daemon.state_dir).values()) == 4
        assert daemon.stop() == 0
        assert daemon.told == ""


def test_a_socket_without_a_listener_is_an_error(tmp_path: Path) -> None:
    """A socket unit that matches no listener is a configuration error, because homes would get no answer."""
    daemon = Daemon(tmp_path, config=CONFIG)
    text = daemon.config_file.read_text(encoding="utf-8")
    daemon.config_file.write_text(text + 'name = "other"\n', encoding="utf-8")
    with systemds_sockets() as (stream, _), ExitStack() as stack:
        stack.callback(daemon.close)
        with pytest.raises(Ended) as ended:
            start_activated(daemon, stream)
        assert ended.value.status == os.EX_CONFIG
        assert "FileDescriptorName=" in ended.value.told


def test_no_datagrams_where_the_protocol_has_none(tmp_path: Path) -> None:
    """A protocol without datagrams is received over TCP only. A socket unit that passes a UDP socket is an error."""
    daemon = Daemon(tmp_path, config=CONFIG)
    text = daemon.config_file.read_text(encoding="utf-8").replace('"dc09"', '"eview"\nname = "dc09"')
    daemon.config_file.write_text(text, encoding="utf-8")
    with systemds_sockets() as (stream, datagram), ExitStack() as stack:
        stack.callback(daemon.close)
        daemon.start()
        assert [one["transport"] for one in daemon.status()["listening"]] == ["tcp"]
        assert daemon.stop() == 0
        with pytest.raises(Ended) as ended:
            start_activated(daemon, stream, datagram)
        assert ended.value.status == os.EX_CONFIG
        assert "hands over a udp socket" in ended.value.told


# --- reload -----------------------------------------------------------------------------------------------------------


def test_a_good_configuration_is_applied_without_interruption(tmp_path: Path) -> None:
    """After SIGHUP new settings and accounts count, also on open connections."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        terminal.alarm()
        assert daemon.queue()[0]["unknown_account"] is True
        register(daemon.state_dir, "1777,H-0001,,")
        daemon.configure(CONFIG + '[intake]\nunknown_accounts = "refuse"\n')
        daemon.reload()
        daemon.await_log("receiver.reloaded", accounts=1)
        assert terminal.say(terminal.frame()) == "DUH"
        with Terminal(daemon.port, "1777") as known:
            known.alarm()
        assert daemon.queue()[0]["home"] == "H-0001"  # a home is before a stranger
        assert daemon.metric("vetlla_reloads_total", outcome="taken") == 1


def test_a_bad_configuration_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    """After SIGHUP with a mistake the log names file and fault, a metric counts it, and nothing else changes."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        for bad in ("[store", "[store]\nmin_free_mb = 1\n", '[intake]\nunknown_accounts = "maybe"\n'):
            seen = len(daemon.log)
            daemon.configure(bad)
            daemon.reload()
            assert str(daemon.config_file) in daemon.await_log("receiver.reload_refused", after=seen)["why"]
            terminal.alarm()
        assert daemon.metric("vetlla_reloads_total", outcome="refused") == 3
        assert daemon.status()["ready"] is True
        assert daemon.stop() == 0


# --- the end ----------------------------------------------------------------------------------------------------------

TERMINALS, BURST = 12, 40


def replies(terminal: Terminal) -> Iterator[dc09_frame.Frame]:
    """Yield the answers to a terminal, until the receiver hangs up."""
    while True:
        try:
            yield terminal.reply()
        except HungUp:
            return


def test_a_stop_under_load_answers_all_stored_reports(tmp_path: Path) -> None:
    """After SIGTERM during bursts every stored report was acknowledged and the other way round. The status is 0."""
    with running(tmp_path, config=CONFIG) as daemon, ExitStack() as stack:
        terminals = [stack.enter_context(Terminal(daemon.port, f"{1000 + number}")) for number in range(TERMINALS)]
        sent: dict[tuple[str, str], bytes] = {}
        # The disk is slow, so that the signal comes while a commit is under way.
        with slow_disk(daemon, "50ms"):
            for terminal in terminals:
                terminal.alarm("1602")
            for terminal in terminals:
                burst = [terminal.frame("1602", zone=zone) for zone in range(BURST)]
                terminal.send(b"".join(burst))
                for number, frame in enumerate(burst, 2):
                    sent[terminal.id.account, f"{number:04}"] = frame
            daemon.tell(signal.SIGTERM)
            acknowledged = {
                sent[terminal.id.account, reply.sequence]
                for terminal in terminals
                for reply in replies(terminal)
                if reply.token == "ACK"
            }
            assert daemon.wait() == 0
        assert daemon.told == ""
        assert daemon.await_log("receiver.drained")["complete"] is True
        daemon.start()
        burst_frames = set(sent.values())
        assert {frame for frame in journal.stored(daemon.state_dir) if frame in burst_frames} == acknowledged
        assert set(journal.stored(daemon.state_dir).values()) == {1}
        assert journal.flaws(daemon.state_dir) == []


@pytest.mark.parametrize(("deadline_s", "signals"), [(3600, 2), (0.2, 1)], ids=["second signal", "deadline"])
def test_a_stop_does_not_wait_for_a_disk_that_stalls(tmp_path: Path, deadline_s: float, signals: int) -> None:
    """It ends as soon as the disk works again. Reports meanwhile get no answer, and the next run takes them."""
    config = CONFIG + f"[limits]\ndrain_deadline_s = {deadline_s}\n"
    with (
        running(tmp_path, config=config) as daemon,
        Terminal(daemon.port, "1001") as first,
        Terminal(daemon.port, "1002") as second,
    ):
        sent = {terminal: terminal.frame() for terminal in (first, second)}
        with slow_disk(daemon, "1500ms:when=1"):
            first.send(sent[first])
            daemon.status()  # its answer shows that the first report is on its way to the disk
            second.send(sent[second])
            daemon.await_metric("vetlla_intake_waiting", lambda waiting: waiting >= 1)
            for number in range(signals):
                daemon.tell(signal.SIGTERM)
                if number == 0:
                    daemon.await_state("STOPPING=1")
            assert daemon.await_log("receiver.drained")["complete"] is False
            assert [list(replies(terminal)) for terminal in sent] == [[], []]
            assert daemon.wait() == 0
        daemon.start()
        for terminal, frame in sent.items():
            terminal.port = daemon.port
            assert terminal.say(frame) == "ACK"
        assert journal.stored(daemon.state_dir) == dict.fromkeys(sent.values(), 1)
