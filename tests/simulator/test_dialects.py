"""What simulated terminals say, read by the decoders that real ones are read by."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import uvloop

from tests.protocols.recordings import Recording, recordings
from tests.simulator.peer import Peer, listening
from vetlla.accounts import Account
from vetlla.errors import UsageError
from vetlla.protocols.eview_body import read_keys
from vetlla.protocols.registry import PROTOCOLS
from vetlla.signals import STORED, Kind, Reject, Signal
from vetlla.simulator import drill
from vetlla.simulator.dialects import eview
from vetlla.simulator.dialects.dialect import Answer, Meaning
from vetlla.simulator.dialects.handheld import made_up_imei
from vetlla.simulator.dialects.registry import DIALECTS, find
from vetlla.simulator.drive import drive
from vetlla.simulator.ledger import entry
from vetlla.simulator.message import Fate, Message
from vetlla.simulator.scenario import Connection, Faults, Mix, Outage, Scenario, Silence, Transport
from vetlla.simulator.statistics import Counts

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from vetlla.simulator.dialects.dialect import Terminal
    from vetlla.simulator.statistics import Report

T = TypeVar("T")
HANDHELD = sorted(DIALECTS.keys() - {"dc09"})
EVERYTHING = Mix(alarms=3, technical=1, tests=2, heartbeats=2)
UNANSWERED = {"minifinder": {"5", "D", "B"}, "watch3g": {"UD", "UD2"}}
"""By protocol the messages that have no acknowledgement, as docs/protocols/ has it."""
STORED_FORMS = {"minifinder": b"!B", "queclink": b"+BUFF:", "watch3g": b"UD2"}
BOUND_S = 30


def run(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(BOUND_S):
            return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(bounded())


def terminal(protocol: str, *, mix: Mix = EVERYTHING, seed: int = 1) -> Terminal:
    dialect = DIALECTS[protocol]
    return dialect.make(Account(account=dialect.account(1)), None, mix, Random(seed), 0.0)


def scenario(port: int, protocol: str, *, homes: int = 5, **options: Any) -> Scenario:  # noqa: ANN401 - any field of a scenario
    usual: dict[str, Any] = {"reports": 60, "mix": EVERYTHING, "timeout_s": 2.0}
    if "duration_s" in options:
        del usual["reports"]
    accounts = drill.homes(homes, DIALECTS[protocol])
    return Scenario(host="127.0.0.1", port=port, accounts=accounts, keys={}, protocol=protocol, **(usual | options))


def heard(protocol: str, caller: Terminal, messages: list[Message]) -> list[tuple[Signal, bytes]]:
    """Return what the receiver's decoder makes of a connection: signals, and the answer to each."""
    decoder = PROTOCOLS[protocol].make(lambda _: ())
    decoder.feed(caller.greeting)
    found = []
    for message in messages:
        (item,) = decoder.feed(message.frame)
        assert isinstance(item, Signal), item
        found.append((item, decoder.answer(item, STORED, datetime.now(UTC))))
    return found


@pytest.mark.parametrize("protocol", HANDHELD)
def test_what_is_said_is_understood_as_meant(protocol: str) -> None:
    """Each message is one signal of the terminal's account; what happened has a place and a time, each its own."""
    caller = terminal(protocol)
    signals = [signal for signal, _ in heard(protocol, caller, [caller.next() for _ in range(200)])]
    assert {signal.id.account for signal in signals} == {caller.id.account}
    kinds = {signal.event.kind for signal in signals}
    assert {Kind.PERSONAL_EMERGENCY, Kind.POSITION, Kind.HEARTBEAT} <= kinds
    assert (Kind.FALL in kinds) is (protocol != "queclink"), "no report of a fall is known there"
    assert (Kind.BATTERY_LOW in kinds) is (protocol != "thinkrace"), "no code for it is known there"
    assert Kind.UNKNOWN not in kinds
    happened = [signal for signal in signals if signal.event.kind is not Kind.HEARTBEAT]
    assert all(signal.position is not None and signal.position.source == "gps" for signal in happened)
    assert all(abs(signal.position.latitude - 1) < 0.1 for signal in happened if signal.position)
    times = [signal.occurred_at for signal in happened]
    assert None not in times
    assert len(set(times)) == len(times)
    assert len({signal.identity for signal in happened}) == len(happened), "none is taken for a retry of another"


@pytest.mark.parametrize("protocol", HANDHELD)
def test_the_expected_answer_is_the_receivers_to_the_byte(protocol: str) -> None:
    """A terminal waits for what the decoder answers, and for nothing where the protocol has no answer."""
    caller = terminal(protocol)
    messages = [caller.next() for _ in range(100)]
    for message, (_, answer) in zip(messages, heard(protocol, caller, messages), strict=True):
        assert message.answer == answer
        assert message.is_answered is (message.token not in UNANSWERED.get(protocol, set()))
        if answer:
            replies, rest = DIALECTS[protocol].cut(answer)
            assert (replies, rest) == ([answer], b"")
            assert caller.understand(answer, [message]) == Answer(Meaning.ACKNOWLEDGED, message)


@pytest.mark.parametrize("protocol", sorted(set(HANDHELD) - {"minifinder"}))
def test_an_answer_with_anything_wrong_is_none(protocol: str) -> None:
    """Any byte more, less or other makes an answer worthless; that of something settled is a stray."""
    caller = terminal(protocol, mix=Mix(alarms=1, technical=0, tests=0, heartbeats=0))
    message = caller.next()
    wrong = [message.answer[:-1], message.answer + b"0", message.answer[:2] + b"~" + message.answer[3:], b""]
    assert {caller.understand(answer, [message]).meaning for answer in wrong} == {Meaning.MALFORMED}
    assert caller.understand(message.answer, []) == Answer(Meaning.STRAY)


@pytest.mark.parametrize("protocol", HANDHELD)
def test_what_was_kept_back_says_when_it_happened(protocol: str) -> None:
    """A report from a time without network carries that time, and the mark of memory where the protocol has one."""
    caller = terminal(protocol, mix=Mix(alarms=0, technical=0, tests=1, heartbeats=0))
    message = caller.next(age_s=600)
    ((signal, _),) = heard(protocol, caller, [message])
    assert signal.occurred_at is not None
    age = datetime.now(UTC) - signal.occurred_at
    assert timedelta(seconds=595) < age < timedelta(seconds=605 + BOUND_S)
    assert signal.buffered is (protocol != "thinkrace"), "it has no form for it"
    assert STORED_FORMS.get(protocol, b"") in message.frame


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
def test_the_same_seed_tells_the_same_story(protocol: str) -> None:
    """Two terminals with one seed have the same things to say, under the same numbers."""

    def story(seed: int) -> list[tuple[str, str]]:
        caller = terminal(protocol, seed=seed)
        return [(message.token, message.sequence) for message in (caller.next() for _ in range(50))]

    assert story(1) == story(1)
    assert story(1) != story(2)


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
def test_made_up_accounts_speak_their_protocol(protocol: str) -> None:
    """A made-up home fits the form that its protocol asks for; numbers make different ones."""
    accounts = {account.account for account in drill.homes(200, DIALECTS[protocol])}
    assert len(accounts) == 200
    assert all(DIALECTS[protocol].form.fullmatch(account) for account in accounts)


def test_made_up_imeis_have_their_check_digit() -> None:
    """An IMEI of the test range ends in the digit that its Luhn sum asks for."""
    for number in (1, 42, 999_999):
        digits = [int(digit) for digit in reversed(made_up_imei(number))]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_damage_to_an_eview_frame_shows() -> None:
    """Whatever byte of the body is changed, the receiver rejects the frame and takes the next."""
    caller, random = terminal("eview"), Random(1)
    for _ in range(50):
        frame = caller.next().frame
        items = PROTOCOLS["eview"].make(lambda _: ()).feed(eview.damage(frame, random) + frame)
        assert [type(item) for item in items if isinstance(item, Signal)] == [Signal]
        assert any(isinstance(item, Reject) for item in items)


@pytest.mark.parametrize("protocol", HANDHELD)
def test_the_ledger_shows_every_frame(protocol: str) -> None:
    """What was said stands in the ledger in ASCII: text as it is, Eview's bytes in hexadecimal."""
    message = terminal(protocol).next()
    shown = entry(message)["data"]
    assert message.frame == (bytes.fromhex(shown) if protocol == "eview" else shown.encode())


REAL = [one for one in recordings("eview") if one.is_good and one.data[1] == eview.ANSWER_WANTED and one.expect_answers]
"""Recordings of frames as the simulator sends them: current version, answer wanted."""


@pytest.mark.parametrize("recording", REAL, ids=lambda recording: recording.name)
def test_what_was_read_can_be_built_again(recording: Recording) -> None:
    """The keys that the decoder reads from a recorded frame, put together here, are that frame; so is its answer."""
    raw = recording.data
    sequence = int.from_bytes(raw[6 : eview.HEADER], "little")
    keys, rest = read_keys(raw[eview.HEADER :])
    built = eview.frame(sequence, raw[eview.HEADER], b"".join(eview.key(*key) for key in keys) + rest)
    if recording.name not in {"key-too-long", "sos-behind-zeros"}:  # lengths that are wrong: no builder lies so
        assert built == raw
    if recording.name != "requests":  # asks for the time, which no simulated terminal does
        assert recording.expect_answers == [eview.answer(sequence)]


# --- over real sockets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", HANDHELD)
@pytest.mark.parametrize("connection", list(Connection))
def test_every_report_arrives_once(protocol: str, connection: Connection) -> None:
    """Staying connected or not, each report arrives once and is acknowledged, or sent where nothing is answered."""

    async def work() -> tuple[Report, Peer]:
        async with listening(protocol=protocol) as peer:
            report = await drive(scenario(peer.port, protocol, connection=connection))
            await until(lambda: peer.ended == peer.connections)
            return report, peer

    report, peer = run(work())
    assert (report.told, report.acknowledged + report.sent, report.lost, report.malformed) == (60, 60, 0, 0)
    assert report.complete
    assert bool(report.sent) is (protocol in UNANSWERED)
    assert (report.repeated, report.stray, report.dropped, peer.rejects) == (0, 0, 0, [])
    logins = report.connections if protocol in {"minifinder", "thinkrace"} else 0
    assert len(peer.signals) == 60 + logins


async def until(fits: Any) -> None:  # noqa: ANN401 - a question without arguments
    while not fits():  # noqa: ASYNC110 - what is waited for has no event; run() bounds it
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("protocol", HANDHELD)
def test_mishaps_lose_nothing(protocol: str) -> None:
    """Torn, batched and repeated over a new line; where there is a checksum, damaged as well: all of it arrives."""
    faults = Faults(torn=0.5, batch=0.3, retry=0.2, damage=0.3 if protocol == "eview" else 0.0)

    async def work() -> Report:
        async with listening(protocol=protocol) as peer:
            return await drive(scenario(peer.port, protocol, faults=faults))

    report = run(work())
    assert (report.acknowledged + report.sent, report.lost, report.malformed) == (60, 0, 0)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
def test_a_queclink_terminal_may_send_datagrams(transport: Transport) -> None:
    """Over UDP each report is a datagram and so is its answer; either way it may go over both."""

    async def work() -> Report:
        async with listening(protocol="queclink") as peer:
            return await drive(scenario(peer.port, "queclink", transport=transport, faults=Faults(duplicate=0.5)))

    report = run(work())
    assert report.acknowledged == 60
    assert report.second_path == report.duplicated > 0


@pytest.mark.parametrize("protocol", sorted(set(HANDHELD) - {"minifinder"}))
def test_an_unanswered_report_is_repeated_and_then_lost(protocol: str) -> None:
    """Without its answer a report is sent again with the same bytes, and given up after the last attempt."""

    async def work() -> tuple[Report, Peer]:
        async with listening(protocol=protocol) as peer:
            peer.garble = lambda answer: answer if b"BP00" in answer else b""
            options: dict[str, Any] = {"homes": 1, "reports": 1, "timeout_s": 0.1, "attempts": 3}
            mix = Mix(alarms=1, technical=0, tests=0, heartbeats=0)
            return await drive(scenario(peer.port, protocol, mix=mix, **options)), peer

    report, peer = run(work())
    assert (report.lost, report.repeated, report.complete) == (1, 2, False)
    sos = [signal.raw for signal in peer.signals if signal.event.kind is not Kind.HEARTBEAT]
    assert len(sos) == 3
    assert len(set(sos)) == 1


def test_a_login_that_is_not_answered_costs_an_attempt() -> None:
    """A Thinkrace watch says nothing before its login was answered as it should be."""

    async def work(answer: bytes) -> tuple[Report, Peer]:
        async with listening(protocol="thinkrace") as peer:
            peer.garble = lambda _: answer
            options: dict[str, Any] = {"homes": 1, "reports": 1, "timeout_s": 0.1, "attempts": 2}
            return await drive(scenario(peer.port, "thinkrace", connection=Connection.EACH, **options)), peer

    for answer, malformed in ((b"", 0), (b"IWBP00,1,0#", 2)):
        report, peer = run(work(answer))
        assert (report.lost, report.dropped, report.malformed) == (1, 2, malformed)
        assert {signal.event.code for signal in peer.signals} == {"AP00"}


def test_a_pico_whose_receiver_is_gone_has_lost_its_report() -> None:
    """Where nothing is acknowledged, a report still needs a machine that takes its bytes."""

    async def work() -> Report:
        async with listening(protocol="minifinder") as peer:
            port = peer.port
        return await drive(scenario(port, "minifinder", homes=1, reports=1, attempts=2))

    report = run(work())
    assert (report.sent, report.lost, report.dropped) == (0, 1, 2)


# --- what befalls a fleet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
def test_a_fleet_returns_from_an_outage_with_its_backlog(protocol: str) -> None:
    """All lines break, what becomes due meanwhile is told on return over new lines, and nothing is lost."""
    said: list[str] = []
    fates: list[Fate] = []

    async def work() -> tuple[Report, Peer]:
        async with listening(protocol=protocol) as peer:
            outage = Outage(after_s=0.3, length_s=0.4, return_within_s=0.2)
            wanted = scenario(peer.port, protocol, rate=200.0, duration_s=1.2, outage=outage)
            return await drive(wanted, tell=said.append, settled=lambda message: fates.append(message.fate)), peer

    report, peer = run(work())
    assert report.complete
    assert report.lost == fates.count(Fate.LOST) == 0
    assert report.cut == 5
    assert report.backlog > 20
    assert report.backlog_s is not None
    assert report.connections >= 10, "everybody dialled again"
    assert report.dropped == 0, "an outage is no failure of the receiver's"
    if STORED_FORMS.get(protocol):
        assert sum(signal.buffered for signal in peer.signals) > 0
    assert ["fails" in one for one in said] == [True, False, False]


def test_an_outage_that_is_cut_short_ends_at_once() -> None:
    """A run that is stopped in the middle of an outage gets its homes back, and loses nothing."""

    async def work() -> Report:
        stop, counts = asyncio.Event(), Counts()
        said: list[str] = []
        async with listening() as peer:
            outage = Outage(after_s=0.1, length_s=1000.0, return_within_s=1000.0)
            wanted = scenario(peer.port, "dc09", rate=100.0, duration_s=3000.0, outage=outage)
            running = asyncio.ensure_future(drive(wanted, stop=stop, tell=said.append, counts=counts))
            await until(lambda: said)
            told = counts.told
            await until(lambda: counts.told > told + 5)
            stop.set()
            return await running

    report = run(work())
    assert report.complete
    assert report.backlog > 0


def test_the_time_without_network_is_no_latency_of_the_receivers() -> None:
    """What became due in an outage is timed from the home's return."""

    async def work() -> Report:
        async with listening(protocol="eview") as peer:
            outage = Outage(after_s=0.1, length_s=5.0)
            return await drive(scenario(peer.port, "eview", rate=50.0, duration_s=5.2, outage=outage))

    report = run(work())
    assert report.complete
    assert report.max_us is not None
    assert report.max_us < 4_000_000


@pytest.mark.parametrize("rate", [200.0, None])
def test_silent_homes_keep_their_lines(rate: float | None) -> None:
    """The share that falls silent is named and says nothing more; its connections stand until the end."""
    last: dict[str, int] = {}
    silenced_ns: list[int] = []
    ended: list[int] = []

    def settled(message: Message) -> None:
        last[message.home.account] = max(message.due_ns, last.get(message.home.account, 0))

    async def work() -> Report:
        async with listening(protocol="eview") as peer:
            stop = asyncio.Event()

            async def look() -> None:
                await stop.wait()
                ended.append(peer.ended)

            looking = asyncio.ensure_future(look())
            silence = Silence(share=0.4, after_s=0.3)
            wanted = scenario(peer.port, "eview", rate=rate, duration_s=0.8, silence=silence)
            report = await drive(
                wanted, stop=stop, settled=settled, tell=lambda _: silenced_ns.append(time.monotonic_ns())
            )
            await looking
            return report

    report = run(work())
    assert len(report.silent) == 2
    assert report.complete
    assert ended == [0], "no line ends before the run does"
    assert len(last) == 5, "what is to be missed was heard before"
    talking = {account for account, due_ns in last.items() if due_ns > silenced_ns[0]}
    assert talking == last.keys() - set(report.silent)


# --- what makes no sense ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "options", "says"),
    [
        ("eview", {"transport": Transport.UDP}, "TCP only"),
        ("watch3g", {"faults": Faults(damage=0.1)}, "damage: no mishap of watch3g"),
        ("eview", {"faults": Faults(clock=0.1, duplicate=0.1)}, "duplicate, clock: no mishap of eview"),
        ("dc09", {"outage": Outage(after_s=1, length_s=1)}, "without a rate"),
        ("dc09", {"outage": Outage(after_s=1, length_s=9), "rate": 1.0, "duration_s": 5.0}, "before the last home"),
        ("dc09", {"silence": Silence(share=0.5, after_s=1)}, "silence has to last"),
        ("dc09", {"silence": Silence(share=0.5, after_s=5), "duration_s": 5.0}, "silence has to last"),
        (
            "dc09",
            {"silence": Silence(share=0.5, after_s=1), "duration_s": 5.0, "connection": Connection.EACH},
            "silent anyway",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(protocol: str, options: dict[str, Any], says: str) -> None:
    """Options that a protocol or a kind of run cannot have are refused before anybody calls."""
    with pytest.raises(UsageError, match=says):
        scenario(9, protocol, **options)


def test_an_account_that_cannot_speak_the_protocol_is_refused() -> None:
    """A DC-09 account has no IMEI; a protocol that nobody speaks is named with those there are."""
    with pytest.raises(UsageError, match="IMEI of 15 digits"):
        Scenario(host="127.0.0.1", port=9, accounts=(Account(account="4C01"),), keys={}, protocol="eview")
    with pytest.raises(UsageError, match="one of dc09, eview"):
        find("morse")
