from __future__ import annotations

import asyncio
import io
import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.rigs.peer import listening
from vetlla.domain.signals import STORED, AccountId, Reason, Signal, Verdict, refused
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.simulator import drill
from vetlla.simulator.drive import drive
from vetlla.simulator.ledger import Ledger
from vetlla.simulator.scenario import Connection, Scenario, Transport
from vetlla.simulator.weights import Faults, Mix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.domain.signals import Key

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])
EVENTS = Mix(alarms=1, technical=1, tests=2, heartbeats=0)
BOUND_S = 30


def scenario(port: int, *, homes: int = 5, bits: int = 0, **options: Any) -> Scenario:  # noqa: ANN401 - any field of a scenario
    accounts, keys = drill.homes(homes), dict[str, "Key"]()
    if bits:
        accounts, keys = drill.encrypting(accounts, bits, seed=0)
    usual: dict[str, Any] = {"reports": 60, "mix": EVENTS, "timeout_s": 2.0}
    return Scenario(host="127.0.0.1", port=port, accounts=accounts, keys=keys, **(usual | options))


def keys_by_account(homes: int, bits: int) -> dict[str, Key]:
    accounts, keys = drill.encrypting(drill.homes(homes), bits, seed=0)
    return {account.account: keys[account.key_name] for account in accounts}


def told(signals: list[Signal]) -> set[tuple[str, str, bytes]]:
    return {(signal.id.account, signal.sequence, signal.identity) for signal in signals}


@pytest.mark.parametrize("bits", [0, 128, 192, 256])
@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("connection", list(Connection))
async def test_every_report_arrives_once_and_is_acknowledged(
    bits: int, transport: Transport, connection: Connection
) -> None:
    """Nothing is lost over both transports, in clear or with any key length, on kept or new connections."""
    async with listening(keys_by_account(5, bits) if bits else None) as peer:
        report = await drive(scenario(peer.port, bits=bits, transport=transport, connection=connection))
    assert (report.told, report.acknowledged, report.lost, report.malformed, report.repeated) == (60, 60, 0, 0, 0)
    assert report.complete
    assert len(peer.signals) == len(told(peer.signals)) == 60
    assert all(bool(signal.sealed_with) is bool(bits) for signal in peer.signals)
    assert report.connections == (60 if connection is Connection.EACH else 5)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("mishap", ["torn", "batch", "damage", "retry", "duplicate"])
async def test_a_mishap_loses_nothing(mishap: str, transport: Transport) -> None:
    """Each report arrives and is acknowledged, although every frame has the mishap."""
    async with listening() as peer:
        report = await drive(scenario(peer.port, transport=transport, faults=Faults.parse(f"{mishap}=1")))
    assert (report.acknowledged, report.lost, report.malformed) == (60, 0, 0)
    assert len(told(peer.signals)) == 60
    match mishap:
        case "damage":
            assert len(peer.rejects) >= 60
        case "duplicate":
            assert (report.duplicated, report.second_path) == (60, 60)
        case "retry":
            assert report.connections == 65, "one line per home, and one more for every report"


async def test_all_mishaps_together_under_a_key_lose_nothing() -> None:
    """Torn, batched, damaged, repeated and duplicated frames with wrong clocks still arrive, also heartbeats."""
    faults = Faults.parse("torn=.3,batch=.3,damage=.3,retry=.3,duplicate=.3,clock=1")
    async with listening(keys_by_account(5, 128)) as peer:
        peer.verdict = in_window
        report = await drive(scenario(peer.port, bits=128, faults=faults, mix=Mix()))
    assert (report.acknowledged, report.lost, report.malformed) == (60, 0, 0)
    assert report.nak >= 5


def in_window(signal: Signal) -> Verdict:
    assert signal.sent_at is not None
    skew = signal.sent_at - datetime.now(UTC)
    return STORED if timedelta(seconds=-40) <= skew <= timedelta(seconds=20) else refused(Reason.STALE_TIME)


async def test_a_nak_corrects_the_clock_once_and_for_all() -> None:
    """Each home with a wrong clock gets one NAK, repeats the same number, and then has the right time."""
    async with listening(keys_by_account(5, 128)) as peer:
        peer.verdict = in_window
        report = await drive(scenario(peer.port, bits=128, faults=Faults(clock=1)))
    assert (report.nak, report.repeated, report.acknowledged) == (5, 5, 60)


async def test_a_refused_report_is_not_repeated_and_not_counted_as_delivered() -> None:
    """A DUH settles a report: the receiver received it but did not take it."""
    async with listening() as peer:
        peer.verdict = lambda _: refused(Reason.UNKNOWN_ACCOUNT)
        report = await drive(scenario(peer.port))
    assert (report.refused, report.acknowledged, report.lost, report.repeated) == (60, 0, 0, 0)
    assert not report.complete


def _other(answer: bytes, *, sequence: str = "", **changes: str) -> bytes:
    frame = dc09_frame.parse(answer)
    assert isinstance(frame, dc09_frame.Frame)
    return dc09_frame.build(frame.token, sequence or frame.sequence, frame.id._replace(**changes), b"")


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "checksum": lambda answer: answer[:1] + (b"0000" if answer[1:5] != b"0000" else b"1111") + answer[5:],
    "length": lambda answer: answer[:5] + b"0FFF" + answer[9:],
    "account": lambda answer: _other(answer, account="ABCDEF"),
    "line": lambda answer: _other(answer, line="7"),
    "receiver": lambda answer: _other(answer, receiver="1"),
    "form": lambda answer: b"\nACKNOWLEDGED" + answer[-1:],
    "binary": lambda _: dc09_frame.build("ACK", "0001", AccountId("", "0", "D00001"), b"", binary_crc=True),
    "endless": lambda _: b"\n" + b"A" * 5000,
}


@pytest.mark.parametrize("how", SPOILT)
async def test_an_acknowledgement_with_a_fault_does_not_count(how: str) -> None:
    """An answer with a wrong checksum, length, form or addressee does not settle a report, and is counted."""
    async with listening() as peer:
        peer.garble = SPOILT[how]
        report = await drive(scenario(peer.port, homes=1, reports=1, timeout_s=0.2, attempts=2))
    assert (report.acknowledged, report.lost, report.malformed) == (0, 1, 2)


async def test_an_acknowledgement_of_another_report_settles_nothing() -> None:
    """A good acknowledgement with another number is a stray, as a late one would be."""
    async with listening() as peer:
        peer.garble = lambda answer: _other(answer, sequence="0000")
        report = await drive(scenario(peer.port, homes=1, reports=1, timeout_s=0.2, attempts=1))
    assert (report.acknowledged, report.lost, report.stray) == (0, 1, 1)


async def test_a_sealed_report_needs_a_sealed_acknowledgement() -> None:
    """A home that encrypts does not accept an ACK in clear."""
    async with listening(keys_by_account(1, 128)) as peer:
        peer.garble = _other
        report = await drive(scenario(peer.port, homes=1, bits=128, reports=1, timeout_s=0.2, attempts=1))
    assert (report.acknowledged, report.malformed) == (0, 1)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
async def test_an_unanswered_report_is_repeated_with_its_number_and_then_given_up(transport: Transport) -> None:
    """A home repeats an unanswered report with the same number up to its limit, then counts it as lost."""
    async with listening() as peer:
        peer.garble = lambda _: b""
        options: dict[str, Any] = {"homes": 1, "reports": 1, "timeout_s": 0.1, "attempts": 3}
        report = await drive(scenario(peer.port, transport=transport, **options))
    assert (report.lost, report.repeated) == (1, 2)
    assert len(peer.signals) == 3
    assert len(told(peer.signals)) == 1


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
async def test_a_home_without_a_receiver_tries_as_often_as_it_may(transport: Transport) -> None:
    """If no receiver listens, every attempt fails and the report is lost, without another error."""
    async with listening() as peer:
        port = peer.port
    report = await drive(scenario(port, homes=1, reports=1, attempts=2, transport=transport))
    assert (report.lost, report.acknowledged, report.dropped) == (1, 0, 2)


@pytest.mark.parametrize("mishap", ["", "torn=1", "duplicate=1", "batch=1"])
async def test_a_receiver_that_hangs_up_in_the_middle_is_dialled_again(mishap: str) -> None:
    """A broken connection costs only one attempt, even if it breaks between the pieces of a frame."""

    class Rude(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = cast("asyncio.Transport", transport)

        def data_received(self, data: bytes) -> None:
            self._transport.abort()

    server = await asyncio.get_running_loop().create_server(Rude, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        options: dict[str, Any] = {"homes": 1, "reports": 4, "attempts": 2, "faults": Faults.parse(mishap)}
        report = await drive(scenario(port, timeout_s=0.5, **options))
    assert (report.acknowledged, report.lost) == (0, 4)
    assert report.dropped >= 2


async def test_an_answer_that_comes_late_settles_the_repeat() -> None:
    """The first answer is lost. The answer to the repeat has the same number, so it settles the report."""
    silent_once = [b""]
    async with listening() as peer:
        peer.garble = lambda answer: silent_once.pop() if silent_once else answer
        report = await drive(scenario(peer.port, homes=1, reports=3, timeout_s=0.2))
    assert (report.acknowledged, report.repeated, report.lost) == (3, 1, 0)
    assert report.max_us is not None
    assert report.max_us >= 190_000, "the report's latency includes the wait for the lost answer"


async def test_under_a_rate_reports_come_due_whether_answered_or_not() -> None:
    """An open loop sends the requested number of reports at about the requested rate."""
    async with listening() as peer:
        report = await drive(scenario(peer.port, rate=400.0, reports=200))
    assert (report.told, report.acknowledged) == (200, 200)
    assert 0.3 < report.seconds < 3


async def test_a_storm_comes_before_anything_else() -> None:
    """In a storm every home sends its backlog at the start."""
    async with listening() as peer:
        report = await drive(scenario(peer.port, homes=20, rate=1000.0, reports=1, faults=Faults(storm=3)))
    assert (report.told, report.acknowledged) == (61, 61)


@pytest.mark.parametrize("rate", [None, 200.0])
async def test_an_endless_run_stops_on_request(rate: float | None) -> None:
    """``stop`` ends an endless run. Messages that are under way are still settled."""
    stop = asyncio.Event()
    async with listening() as peer:
        running = asyncio.create_task(drive(scenario(peer.port, reports=None, rate=rate), stop=stop))
        peer.on_signal = lambda number: stop.set() if number == 50 else None
        report = await running
    assert report.complete
    assert report.told >= 50


async def test_a_run_ends_after_its_duration() -> None:
    """A duration ends a run that has no number of reports."""
    async with listening() as peer:
        report = await drive(scenario(peer.port, reports=None, duration_s=0.2))
    assert report.complete
    assert 0.2 <= report.seconds < 5


async def test_messages_that_are_open_after_the_drain_are_lost() -> None:
    """When the drain ends, open messages count as lost, also in the ledger."""
    out = io.StringIO()
    async with listening() as peer:
        peer.garble = lambda _: b""
        wanted = scenario(peer.port, homes=2, reports=None, duration_s=0.1, timeout_s=20.0)
        report = await drive(wanted, settled=Ledger(out).write, drain_s=0.1)
    assert (report.told, report.lost) == (2, 2)
    assert [json.loads(entry)["fate"] for entry in out.getvalue().splitlines()] == ["lost", "lost"]


async def test_the_ledger_has_the_fate_of_every_report() -> None:
    """Each report has one line with its identity, its fate and its times."""
    out = io.StringIO()
    before = time.time()
    async with listening() as peer:
        await drive(scenario(peer.port, reports=10, prebuilt=True), settled=Ledger(out).write)
    entries = [json.loads(entry) for entry in out.getvalue().splitlines()]
    assert {(entry["account"], entry["sequence"]) for entry in entries} == {
        (signal.id.account, signal.sequence) for signal in peer.signals
    }
    for entry in entries:
        assert (entry["fate"], entry["attempts"], entry["line"], entry["receiver"]) == ("acknowledged", 1, "0", "")
        assert entry["token"] in {"ADM-CID", "SIA-DCS"}
        assert entry["data"].startswith(f"#{entry['account']}|")
        sent, settled = (datetime.fromisoformat(entry[name]).timestamp() for name in ("sent_at", "settled_at"))
        assert before - 1 < sent <= settled < time.time() + 1


def _certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(hours=1)
    ).sign(key, hashes.SHA256())
    chain, private = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return chain, context


@pytest.mark.parametrize("pinned", [True, False])
async def test_homes_dial_over_tls(tmp_path: Path, *, pinned: bool) -> None:
    """Over TLS nothing is lost, even with torn frames and two connections, with or without a pinned certificate."""
    chain, context = _certificate(tmp_path)
    trusted = str(chain) if pinned else None
    faults = Faults.parse("torn=.5,duplicate=.5")
    async with listening(tls=context) as peer:
        report = await drive(scenario(peer.port, transport=Transport.TLS, trusted=trusted, faults=faults))
    assert report.acknowledged == 60
    assert report.second_path == report.duplicated > 0


async def test_a_receiver_with_another_certificate_gets_no_report(tmp_path: Path) -> None:
    """With a pinned certificate, a receiver that presents another one gets no report."""
    _, context = _certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    chain, _ = _certificate(other)
    async with listening(tls=context) as peer:
        wanted = scenario(peer.port, homes=1, reports=1, attempts=1, transport=Transport.TLS, trusted=str(chain))
        report = await drive(wanted)
    assert (report.lost, peer.signals) == (1, [])
