"""Two public libraries of other authors as real clients of the running daemon: siadc09 and my-dc09-spt."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest
from my_dc09_spt.dc09_spt import dc09_spt
from siadc09 import account as sia_account
from siadc09 import message as sia_message
from siadc09.admcid import parse_admcid
from siadc09.siadcs import parse_siadcs

from tests.rigs import journal
from tests.rigs.daemon import PATIENCE_S, Daemon, running, vetlla

if TYPE_CHECKING:
    from collections.abc import Iterator


class Home(NamedTuple):
    """A registered account and its shared key."""

    account: str
    key: bytes | None = None


HOMES = {
    "plain": Home("1001"),
    "AES-128": Home("1002", bytes(range(16))),
    "AES-192": Home("1003", bytes(range(24))),
    "AES-256": Home("1004", bytes(range(32))),
}
TRANSPORTS = ("tcp", "udp")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run a daemon with keys and accounts, which the engineers' commands set up."""
    directory = tmp_path_factory.mktemp("clients")
    state_dir = directory / "state"
    rows = "".join(f"{home.account},H-{home.account},{name if home.key else ''}\n" for name, home in HOMES.items())
    for name, home in HOMES.items():
        if home.key:
            done = vetlla("keys", "set", name, "--hex", stdin=home.key.hex(), state_dir=state_dir)
            assert done.returncode == 0, done.stderr
            assert home.key.hex() not in done.stdout + done.stderr
            done = vetlla("keys", "pad", name, "--long", state_dir=state_dir)  # both libraries pad like this
            assert done.returncode == 0, done.stderr
    done = vetlla("accounts", "import", "-", stdin=f"account,home,key_name\n{rows}", state_dir=state_dir)
    assert done.returncode == 0, done.stderr
    with running(directory, config="[store]\nmin_free_mib = 1\n") as started:
        yield started


def stored(daemon: Daemon, home: Home, transport: str) -> list[tuple[str, str, str, str]]:
    """Return kind, code, zone and key of a home's reports in the journal, in order."""
    rows = journal.query(
        daemon.state_dir,
        "SELECT kind, code, device, sealed_with FROM signals WHERE account = ? AND transport = ? ORDER BY id",
        home.account,
        transport,
    )
    return [(row["kind"], row["code"], row["device"], row["sealed_with"]) for row in rows]


# --- siadc09: its functions build and read frames, and our socket carries them ----------------------------------------


class Siadc09:
    """One account of siadc09 on one line."""

    def __init__(self, port: int, home: Home, transport: str) -> None:
        self._home = home
        self._account = sia_account.Account(acct=int(home.account, 16), key=home.key)
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self._line = socket.socket(socket.AF_INET, kind)
        self._line.settimeout(PATIENCE_S)
        self._line.connect(("127.0.0.1", port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def tell(self, token: str, number: int, data: object) -> Any:  # noqa: ANN401 - siadc09 has no types
        """Send a report; return siadc09's reading of the answer."""
        return self._exchange(
            sia_message.EventMessage(self._account, {"idtoken": token, "seqno": number, "data": data})
        )

    def beat(self) -> Any:  # noqa: ANN401
        """Send a null message."""
        return self._exchange(sia_message.NullMessage(self._account))

    def _exchange(self, message: Any) -> Any:  # noqa: ANN401
        self._line.sendall(message.encode())
        return sia_message.parse_frame(self._line.recv(4096), self._home.key)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", HOMES)
def test_siadc09_gets_every_report_acknowledged(daemon: Daemon, name: str, transport: str) -> None:
    """siadc09 gets the expected acknowledgement of falls, medical alarms and heartbeats, encrypted or not."""
    home = HOMES[name]
    told = [
        ("ADM-CID", parse_admcid(f"#{home.account}|1103 01 007".encode())),
        ("SIA-DCS", parse_siadcs(f"#{home.account}|Nri1/MA008".encode())),
        ("ADM-CID", parse_admcid(f"#{home.account}|3103 01 007".encode())),
    ]
    first = 100 if transport == "tcp" else 200
    with Siadc09(daemon.port, home, transport) as client:
        for number, (token, data) in enumerate(told, first):
            answer = client.tell(token, number, data)
            assert (answer.idtoken, answer.seq, answer.encrypted) == ("ACK", number, home.key is not None)
            assert answer.account.acct == int(home.account, 16)
        assert client.beat().idtoken == "ACK"
    sealed_with = name if home.key else ""
    assert [row for row in stored(daemon, home, transport) if row[2] in {"007", "008"}] == [
        ("fall", "103", "007", sealed_with),
        ("personal_emergency", "MA", "008", sealed_with),
        ("fall", "103", "007", sealed_with),
    ]


# --- my-dc09-spt: a complete dialler with its own connections, threads and polls --------------------------------------

SPT_HOMES = [name for name, home in HOMES.items() if home.key is None or len(home.key) != 24]
"""my-dc09-spt has no 192-bit keys."""
POLL_PAUSE_S = 0.05
"""Pause of its polling thread. Stopping the thread takes this time."""


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", SPT_HOMES)
def test_my_dc09_spt_gets_every_report_acknowledged(daemon: Daemon, name: str, transport: str) -> None:
    """The library polls and reports in both code systems, with a line or without. It reports its path as good."""
    home = HOMES[name]
    sealed_with = name if home.key else ""
    for line, zone in (None, 500), (1, 501):
        dialler = dc09_spt(home.account, line=line)
        dialler.set_path("main", "primary", "127.0.0.1", daemon.port, key=home.key, type=transport)
        poll(dialler, daemon)
        # Its numbers start again at 1 over the other transport, so each transport has its own zone.
        told = zone + 10 * TRANSPORTS.index(transport)
        dialler.send_msg("CID", {"code": "103", "area": "01", "zone": told})
        dialler.send_msg("SIA", {"code": "MA", "area": "1", "zone": told, "text": "call"})
        assert dialler.notSent() == 0
        state = dialler.state()
        assert state["main primary path ok"] == 1
        assert state["msgs sent"] == 2
        assert stored(daemon, home, transport)[-2:] == [
            ("fall", "103", str(told), sealed_with),
            ("personal_emergency", "MA", str(told), sealed_with),
        ]


def poll(dialler: Any, daemon: Daemon) -> None:  # noqa: ANN401 - my-dc09-spt has no types
    """Let a dialler poll once, and check that the receiver counts it as a heartbeat."""
    beats = daemon.status()["counts"]["heartbeats"]
    dialler.start_poll(3600, retry_delay=POLL_PAUSE_S)
    polling = dialler.poll
    # Wait until its thread has planned the next poll, because a stop before that raises an error in it.
    daemon.await_status(lambda _: polling.main_poll_next > 0)
    dialler.stop_poll()
    assert polling.count() == 1
    assert daemon.status()["counts"]["heartbeats"] == beats + 1
