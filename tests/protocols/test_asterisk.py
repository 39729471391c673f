"""Spool files of AlarmReceiver(): which report has which identity, and that nothing in a file is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.spool import NUMBER, PRESS, RESTORE, UNIQUE_ID, content
from vetlla.domain.signals import Kind, Reject, Signal
from vetlla.protocols.asterisk.decoder import MAX_FILE, AsteriskDecoder
from vetlla.protocols.asterisk.digits import split
from vetlla.protocols.asterisk.spool_file import read_file, setup_s
from vetlla.protocols.decoder import Message
from vetlla.service.queue.triage import PRIORITIES

DECODER = AsteriskDecoder(lambda _: ())
KEYS = "1234567890*#ABC"
"""The keys of a telephone with their weights: 1 is the first."""


def signals(data: bytes, topic: str = "event-1@7.9") -> list[Signal]:
    return [item for item in DECODER.read(Message(topic, data)) if isinstance(item, Signal)]


def checked(digits: str) -> str:
    """Return the digits with their check digit, computed by another way than the decoder's."""
    rest = sum(KEYS.index(digit) + 1 for digit in digits) % 15
    return digits + KEYS[14 - rest]


def test_the_identity_is_that_of_the_file_and_the_event() -> None:
    """A file that is read twice gives the same identities; any other file gives others."""
    first, again = signals(content(PRESS, RESTORE)), signals(content(PRESS, RESTORE))
    assert [one.identity for one in first] == [one.identity for one in again]
    others = [signals(content(PRESS), topic)[0].identity for topic in ("event-1@7.8", "event-1@8.9", "event-2@7.9")]
    assert len({first[0].identity, first[1].identity, *others}) == 5


def test_a_repetition_has_the_identity_of_the_first_unless_another_event_is_between() -> None:
    one, two, three, four = [signal.identity for signal in signals(content(PRESS, PRESS, RESTORE, PRESS))]
    assert one == two
    assert len({two, three, four}) == 3


def test_all_reports_of_one_event_have_identities_of_their_own() -> None:
    """High Speed has several reports in one event."""
    found = signals(content("123456" + "11555555" + "9", protocol="ADEMCO_SUPER_FAST"))
    assert len({signal.identity for signal in found}) == len(found) == 3


@pytest.mark.parametrize("name", ["call-1764405562.3", "call-pbx1-1764405562.3", "call-", "call-\udcff"])
def test_a_calls_own_file_is_a_call_that_was_not_understood(name: str) -> None:
    (signal,) = signals(f"CALLINGFROM={NUMBER}\n".encode(), f"{name}@7.9")
    assert (signal.event.kind, signal.event.code, signal.device) == (Kind.UNREADABLE, "no_event", NUMBER)
    assert signal.id.account == f"tel:{NUMBER}"
    (unknown,) = signals(b"", f"{name}@7.9")
    assert unknown.id.account.isprintable()
    assert unknown.id.account


@pytest.mark.parametrize(
    ("unique_id", "second"),
    [
        ("1764405562.3", 1_764_405_562),
        ("pbx-1.site-1764405562.34567", 1_764_405_562),
        ("1764405562", None),
        ("Casa 1", None),
        ("176440556212345.3", None),
        ("", None),
    ],
)
def test_the_second_of_the_set_up(unique_id: str, second: int | None) -> None:
    assert setup_s(unique_id) == second


def test_a_name_that_is_no_unique_id_stays_a_name() -> None:
    assert signals(content(PRESS, name="Casa 1"))[0].details["caller_name"] == "Casa 1"
    details = signals(content(PRESS, name=UNIQUE_ID))[0].details
    assert details["call"] == UNIQUE_ID
    assert "caller_name" not in details


def test_a_long_file_is_read_as_far_as_the_bound() -> None:
    """Its events up to there are alarms, and a reject says that there is more."""
    items = DECODER.read(Message("event-1@7.9", content(*[PRESS] * 2_000)))
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert reject.reason.value == "too_long"
    assert sum(isinstance(item, Signal) for item in items) > 900
    assert len(reject.raw) == MAX_FILE


@given(st.lists(st.text(KEYS, min_size=4, max_size=4), min_size=1, max_size=4), st.data())
def test_every_account_and_zone_is_mapped(accounts: list[str], data: st.DataObject) -> None:
    """Keys become hexadecimal digits, the check digit fits, and events without a separator are read one by one."""
    zones = [data.draw(st.text(KEYS, min_size=3, max_size=3)) for _ in accounts]
    line = "".join(checked(f"{account}18110100{zone}") for account, zone in zip(accounts, zones, strict=True))
    found = [report for event in split(line) for report in event.reports]
    as_hex = str.maketrans("*#ABC", "BCDEF")
    assert [(one.account, one.device) for one in found] == [
        (account.translate(as_hex), zone.translate(as_hex)) for account, zone in zip(accounts, zones, strict=True)
    ]
    assert not any("checksum" in one.details for one in found)


@given(st.text(KEYS + "D_ x", max_size=60), st.booleans())
def test_no_digit_is_dropped(line: str, has_checksums: bool) -> None:  # noqa: FBT001
    """Whatever a line holds, its parts together are the line, and each part is a report."""
    events = list(split(line, has_checksums=has_checksums))
    assert "".join(event.sent for event in events) == "".join(line.split())
    assert all(event.reports for event in events)


@given(st.binary(max_size=300) | st.builds(lambda cut: content(PRESS, number=NUMBER)[:cut], st.integers(0, 160)))
def test_any_file_is_at_least_one_alarm(data: bytes) -> None:
    """Bytes of any kind, and a good file cut anywhere, put something before an operator."""
    found = signals(data)
    assert found
    assert any(PRIORITIES[signal.event.kind] == 0 for signal in found)


@given(st.integers(0, 160))
def test_a_file_is_complete_only_with_its_last_line(cut: int) -> None:
    whole = content(PRESS)
    part = read_file(whole[:cut])
    # Before its event, a file is one of a call without events.
    assert part.is_complete == (
        cut >= len(whole) or whole[:cut].endswith(b"[events]\n") or whole[:cut].endswith(b"[events]\n\n")
    )
