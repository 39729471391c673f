"""Messages of simulated terminals, read by the same decoders as those of real terminals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.drills import BOUND_S, EVERYTHING, HANDHELD, STORED_FORMS, UNANSWERED, scenario
from tests.rigs.recordings import STREAMS, Recording, recordings
from vetlla.domain.accounts import Account
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import STORED, Kind, Reject, Signal
from vetlla.protocols.eview.body import read_keys
from vetlla.simulator import drill
from vetlla.simulator.dialects import eview
from vetlla.simulator.dialects.dialect import Answer, Meaning
from vetlla.simulator.dialects.handheld import made_up_imei
from vetlla.simulator.dialects.registry import DIALECTS, find
from vetlla.simulator.ledger import entry
from vetlla.simulator.scenario import Connection, Outage, Scenario, Silence, Transport
from vetlla.simulator.weights import Faults, Mix

if TYPE_CHECKING:
    from vetlla.simulator.dialects.dialect import Terminal
    from vetlla.simulator.message import Message


def terminal(protocol: str, *, mix: Mix = EVERYTHING, seed: int = 1) -> Terminal:
    dialect = DIALECTS[protocol]
    return dialect.make(Account(account=dialect.account(1)), None, mix, Random(seed), 0.0)


def heard(protocol: str, caller: Terminal, messages: list[Message]) -> list[tuple[Signal, bytes]]:
    """Return what the receiver's decoder makes of a connection: signals, and the answer to each."""
    decoder = STREAMS[protocol].make(lambda _: ())
    decoder.feed(caller.greeting)
    found = []
    for message in messages:
        (item,) = decoder.feed(message.frame)
        assert isinstance(item, Signal), item
        found.append((item, decoder.answer(item, STORED, datetime.now(UTC))))
    return found


@pytest.mark.parametrize("protocol", HANDHELD)
def test_a_message_is_read_as_it_is_meant(protocol: str) -> None:
    """Each message is one signal of the terminal's account. Each event has a position and its own time."""
    caller = terminal(protocol)
    signals = [signal for signal, _ in heard(protocol, caller, [caller.next() for _ in range(200)])]
    assert {signal.id.account for signal in signals} == {caller.id.account}
    kinds = {signal.event.kind for signal in signals}
    assert {Kind.PERSONAL_EMERGENCY, Kind.POSITION, Kind.HEARTBEAT} <= kinds
    assert (Kind.FALL in kinds) is (protocol != "queclink"), "it has no known report of a fall"
    assert (Kind.BATTERY_LOW in kinds) is (protocol != "thinkrace"), "it has no known code for a low battery"
    assert Kind.UNKNOWN not in kinds
    happened = [signal for signal in signals if signal.event.kind is not Kind.HEARTBEAT]
    assert all(signal.position is not None and signal.position.source == "gps" for signal in happened)
    assert all(abs(signal.position.latitude - 1) < 0.1 for signal in happened if signal.position)
    times = [signal.occurred_at for signal in happened]
    assert None not in times
    assert len(set(times)) == len(times)
    assert len({signal.identity for signal in happened}) == len(happened), "no event looks like a retry of another"


@pytest.mark.parametrize("protocol", HANDHELD)
def test_the_expected_answer_is_the_receivers_to_the_byte(protocol: str) -> None:
    """A terminal waits for exactly the decoder's answer, and for none if the protocol has no answer."""
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
def test_an_answer_with_a_fault_does_not_count(protocol: str) -> None:
    """An answer with any wrong, missing or extra byte does not count. An answer to a settled message is a stray."""
    caller = terminal(protocol, mix=Mix(alarms=1, technical=0, tests=0, heartbeats=0))
    message = caller.next()
    wrong = [message.answer[:-1], message.answer + b"0", message.answer[:2] + b"~" + message.answer[3:], b""]
    assert {caller.understand(answer, [message]).meaning for answer in wrong} == {Meaning.MALFORMED}
    assert caller.understand(message.answer, []) == Answer(Meaning.STRAY)


@pytest.mark.parametrize("protocol", HANDHELD)
def test_a_stored_report_says_when_it_happened(protocol: str) -> None:
    """A report that was kept back carries the time of its event, and the protocol's mark of stored reports."""
    caller = terminal(protocol, mix=Mix(alarms=0, technical=0, tests=1, heartbeats=0))
    message = caller.next(age_s=600)
    ((signal, _),) = heard(protocol, caller, [message])
    assert signal.occurred_at is not None
    age = datetime.now(UTC) - signal.occurred_at
    assert timedelta(seconds=595) < age < timedelta(seconds=605 + BOUND_S)
    assert signal.buffered is (protocol != "thinkrace"), "it has no form for stored reports"
    assert STORED_FORMS.get(protocol, b"") in message.frame


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
def test_the_same_seed_gives_the_same_messages(protocol: str) -> None:
    """Two terminals with the same seed send the same messages with the same numbers."""

    def story(seed: int) -> list[tuple[str, str]]:
        caller = terminal(protocol, seed=seed)
        return [(message.token, message.sequence) for message in (caller.next() for _ in range(50))]

    assert story(1) == story(1)
    assert story(1) != story(2)


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
def test_made_up_accounts_speak_their_protocol(protocol: str) -> None:
    """Made-up accounts have the form that their protocol demands, and differ for each number."""
    accounts = {account.account for account in drill.homes(200, DIALECTS[protocol])}
    assert len(accounts) == 200
    assert all(DIALECTS[protocol].form.fullmatch(account) for account in accounts)


def test_made_up_imeis_have_their_check_digit() -> None:
    """A made-up IMEI ends in its Luhn check digit."""
    for number in (1, 42, 999_999):
        digits = [int(digit) for digit in reversed(made_up_imei(number))]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_damage_to_an_eview_frame_shows() -> None:
    """If any byte of the body is changed, the receiver rejects the frame and takes the next one."""
    caller, random = terminal("eview"), Random(1)
    for _ in range(50):
        frame = caller.next().frame
        items = STREAMS["eview"].make(lambda _: ()).feed(eview.damage(frame, random) + frame)
        assert [type(item) for item in items if isinstance(item, Signal)] == [Signal]
        assert any(isinstance(item, Reject) for item in items)


@pytest.mark.parametrize("protocol", HANDHELD)
def test_the_ledger_shows_every_frame(protocol: str) -> None:
    """The ledger shows frames in ASCII: text unchanged, and Eview's bytes in hexadecimal."""
    message = terminal(protocol).next()
    shown = entry(message)["data"]
    assert message.frame == (bytes.fromhex(shown) if protocol == "eview" else shown.encode())


REAL = [one for one in recordings("eview") if one.is_good and one.data[1] == eview.ANSWER_WANTED and one.expect_answers]
"""Recordings of frames of the kind that the simulator sends: they have the current version and ask for an answer."""


@pytest.mark.parametrize("recording", REAL, ids=lambda recording: recording.name)
def test_a_recorded_frame_can_be_built_again(recording: Recording) -> None:
    """The simulator builds a recorded frame again from its decoded keys, and the recorded answer to it."""
    raw = recording.data
    sequence = int.from_bytes(raw[6 : eview.HEADER], "little")
    keys, rest = read_keys(raw[eview.HEADER :])
    built = eview.frame(sequence, raw[eview.HEADER], b"".join(eview.key(*key) for key in keys) + rest)
    if recording.name not in {"key-too-long", "sos-behind-zeros"}:  # the simulator builds no wrong lengths
        assert built == raw
    if recording.name != "requests":  # it asks for the time, which no simulated terminal does
        assert recording.expect_answers == [eview.answer(sequence)]


@pytest.mark.parametrize(
    ("protocol", "options", "says"),
    [
        ("eview", {"transport": Transport.UDP}, "TCP only"),
        ("watch3g", {"faults": Faults(damage=0.1)}, "watch3g cannot have the mishap damage"),
        ("eview", {"faults": Faults(clock=0.1, duplicate=0.1)}, "eview cannot have the mishap duplicate, clock"),
        ("dc09", {"outage": Outage(after_s=1, length_s=1)}, "needs a rate"),
        ("dc09", {"outage": Outage(after_s=1, length_s=9), "rate": 1.0, "duration_s": 5.0}, "before the last home"),
        ("dc09", {"silence": Silence(share=0.5, after_s=1)}, "silence needs a run"),
        ("dc09", {"silence": Silence(share=0.5, after_s=5), "duration_s": 5.0}, "silence needs a run"),
        (
            "dc09",
            {"silence": Silence(share=0.5, after_s=1), "duration_s": 5.0, "connection": Connection.EACH},
            "stay connected",
        ),
    ],
)
def test_impossible_options_are_refused(protocol: str, options: dict[str, Any], says: str) -> None:
    """The simulator refuses options that a protocol or a kind of run cannot have, before any home calls."""
    with pytest.raises(UsageError, match=says):
        scenario(9, protocol, **options)


def test_an_account_that_cannot_speak_the_protocol_is_refused() -> None:
    """A DC-09 account is not an IMEI. The error about an unknown protocol lists the known ones."""
    with pytest.raises(UsageError, match="IMEI of 15 digits"):
        Scenario(host="127.0.0.1", port=9, accounts=(Account(account="4C01"),), keys={}, protocol="eview")
    with pytest.raises(UsageError, match="one of dc09, eview"):
        find("morse")
