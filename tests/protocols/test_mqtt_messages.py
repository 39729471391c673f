"""One MQTT message gives at most one signal, of its own terminal; a report of the broker is no sign of life."""

from __future__ import annotations

import pytest

from vetlla.domain.signals import AccountId, Item, Kind, Reject, Reply, Signal
from vetlla.protocols.decoder import Message
from vetlla.protocols.mqtt.decoder import MqttDecoder

BEAT = '{"boot":1,"seq":2}'
PRESS = '{"ref":"7-1","dty":"0003"}'


def read(topic: str, payload: str, *, retained: bool = False) -> list[Item]:
    return MqttDecoder(lambda _: ()).read(Message(topic, payload.encode(), retained))


@pytest.mark.parametrize("behind", [f"tc/1/T2/hb {BEAT}", f"tc/1/T1/hb {BEAT}", "tc/1/T2/$state ready", "tc/1/T2/hb {"])
def test_bytes_after_an_object_are_not_a_message(behind: str) -> None:
    """A broker lets a terminal use only its own topics, and its payload cannot report for another terminal either."""
    said, reject = read("tc/1/T1/ucr/ev", f"{PRESS} {behind}")
    assert isinstance(said, Signal)
    assert (said.id.account, said.device) == ("T1", "ucr")
    assert isinstance(reject, Reject)
    assert reject.id == AccountId("", "", "T1")


@pytest.mark.parametrize("topic", ["tc/1/T1/a b/ev", "tc/2/T1/ucr/ev", "tc/1/T1/ucr/ev", "tc/1/T1/", "tc", ""])
def test_broken_topics_and_events_are_evidence(topic: str) -> None:
    """A topic with a blank, a topic of another version and an event that cannot be read are evidence."""
    items = read(topic, f'{{"ref":"7-1","dty":"?"}} tc/1/T2/hb {BEAT}')
    assert {type(item) for item in items} <= {Reject, Reply}
    assert {item.id.account for item in items if isinstance(item, Reject) and item.id} <= {"T1"}


@pytest.mark.parametrize(
    ("line", "retained", "from_broker", "repeated"),
    [
        ("$state ready", False, False, False),
        ("$state disconnected", False, False, False),
        ("$state Offline", False, True, False),
        ('$state {"state":false}', False, True, False),
        ("$state online", False, False, False),
        ("$state lost", False, True, False),
        ('$state {"state":"lost","boot":7,"seq":3}', False, True, False),
        ("$state ready", True, True, False),
        ("$state lost", True, True, True),
        ("$info {}", True, True, False),
        (f"hb {BEAT}", True, True, False),
        (f"ev {PRESS}", True, True, False),
    ],
)
def test_broker_reports_are_no_sign_of_life(line: str, retained: bool, from_broker: bool, repeated: bool) -> None:  # noqa: FBT001
    """Last wills and retained messages are no sign of life. A retained call counts, because it may be new here."""
    leaf, _, payload = line.partition(" ")
    (said,) = read(f"tc/1/T1/{leaf}", payload, retained=retained)
    assert isinstance(said, Signal)
    assert (said.from_broker, said.repeated) == (from_broker, repeated)


def test_an_object_without_fields_is_an_object() -> None:
    """A terminal that sends an empty object is alive: its heartbeat is no retained message that was removed."""
    (said,) = read("tc/1/T1/hb", "{}")
    assert isinstance(said, Signal)
    assert said.event.kind is Kind.HEARTBEAT


@pytest.mark.parametrize("payload", [f"[{PRESS}]", f"[[ {PRESS} ] ]\n"])
def test_the_end_of_a_list_gives_no_second_item(payload: str) -> None:
    """An event in a list is that event, and the bracket gives no second item."""
    (said,) = read("tc/1/T1/ucr/ev", payload)
    assert isinstance(said, Signal)
    assert said.event.kind is Kind.PERSONAL_EMERGENCY


def test_a_second_object_in_a_list_is_evidence() -> None:
    """One message gives one signal, so the rest of the list is kept as a reject, which tells the maker."""
    said, reject = read("tc/1/T1/ucr/ev", f"[{PRESS}, {PRESS}]")
    assert (type(said), type(reject)) == (Signal, Reject)


@pytest.mark.parametrize(("leaf", "payload", "kind"), [
    ("ev", f"[{PRESS}, {PRESS}]", Kind.UNREADABLE),
    ("ev", f"{PRESS}{PRESS}", Kind.UNREADABLE),
    ("ev", f'{PRESS}003"}}', Kind.FAULT),
    ("hb", f"{BEAT}{BEAT}", Kind.FAULT),
])  # fmt: skip
def test_a_second_event_after_the_first_may_be_a_call(leaf: str, payload: str, kind: Kind) -> None:
    """A second event is not read, so an operator sees it like every unreadable event; noise is a fault."""
    _, reject = read(f"tc/1/T1/ucr/{leaf}", payload)
    assert isinstance(reject, Reject)
    assert reject.kind is kind
