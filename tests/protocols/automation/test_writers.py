"""What the writers write, the decoders read again: every event, every setting, every recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.recordings import STREAMS, Recording, decode, recordings, signals
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Kind, Phase, Signal
from vetlla.protocols.automation.contact_id import contact_id_of
from vetlla.protocols.automation.fields import END_MARKS, LineForm
from vetlla.protocols.automation.reports import (
    CallerId,
    ContactId,
    EventReport,
    Heartbeat,
    LineReport,
    OwnStatus,
    SiaData,
    TwoWayAudio,
    Unwritable,
)
from vetlla.protocols.automation.writers import WRITERS, writer_of
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

each = pytest.mark.parametrize("protocol", sorted(WRITERS))
HEX = "0123456789ABCDEF"
ACCOUNT_WIDTHS = {"ademco685": (4, 5, 6), "radionics6500": (4,), "surgard": (4, 5, 6, 7, 8)}
LINE_WIDTHS = {"ademco685": (1, 2), "radionics6500": (1,), "surgard": (1, 2, 3, 4, 5, 6, 7)}
ENDS = {"ademco685": ("cr",), "radionics6500": tuple(END_MARKS), "surgard": tuple(END_MARKS)}


class Place(NamedTuple):
    """A writer's settings, and an event to be written with them."""

    protocol: str
    form: LineForm
    report: EventReport


def text_of(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


@st.composite
def places(draw: st.DrawFn) -> Place:
    protocol = draw(st.sampled_from(sorted(WRITERS)))
    line_width = draw(st.sampled_from(LINE_WIDTHS[protocol]))
    account_width = draw(st.sampled_from(ACCOUNT_WIDTHS[protocol]))
    header = protocol == "surgard" and draw(st.booleans())
    end = draw(st.sampled_from(ENDS[protocol]))
    form = LineForm(line_width=line_width, account_width=account_width, end=end, header=header)
    digits = "0123456789" if end == "none" else HEX
    event = ContactId(
        draw(st.sampled_from(Phase)),
        draw(text_of("0123456789", 3, 3)),
        draw(text_of(digits, 2, 2)),
        draw(text_of(HEX, 3, 3)),
    )
    receiver = draw(text_of(HEX, 1, line_width if protocol == "ademco685" else 2))
    line = draw(text_of(HEX, 1, line_width))
    return Place(protocol, form, EventReport(receiver, line, draw(text_of(HEX, 1, account_width)), event))


def written(protocol: str, form: LineForm, report: LineReport) -> bytes:
    frame = writer_of(protocol, form).write(report)
    assert isinstance(frame, bytes), frame
    return frame


def read(protocol: str, data: Sequence[bytes], line_width: int | None = None) -> list[Signal]:
    options = {"line_width": str(line_width)} if line_width and protocol == "surgard" else {}
    items = decode(STREAMS[protocol].tuned(options).make(lambda _: ()), data)
    assert all(isinstance(item, Signal) for item in items), items
    return signals(items)


def refused(protocol: str, report: LineReport, form: LineForm | None = None) -> str:
    """Return the name of the field that a writer cannot carry."""
    found = writer_of(protocol, form or LineForm()).write(report)
    assert isinstance(found, Unwritable), found
    assert found.why
    return found.field


# --- the decoder reads the same event ---------------------------------------------------------------------------------


@given(place=places())
def test_an_event_is_read_as_it_was_written(place: Place) -> None:
    """Account, code, qualifier, area, device, receiver and line arrive, with any width, end mark and header."""
    protocol, form, report = place
    event = report.event
    assert isinstance(event, ContactId)
    frame = written(protocol, form, report)
    (signal,) = read(protocol, [frame], form.line_width)
    assert (signal.event.code, signal.event.system, signal.event.phase) == (event.code, "contact_id", event.phase)
    assert (signal.area, signal.device) == (event.area, event.device)
    assert form.account_width is not None
    assert signal.id.account == report.account.rjust(form.account_width, "0")
    assert [one.lstrip("0") for one in signal.id[:2]] == [report.receiver.lstrip("0"), report.line.lstrip("0")]


@given(data=st.lists(places(), min_size=2, max_size=4))
def test_frames_may_follow_each_other_directly(data: list[Place]) -> None:
    """Several frames of one writer in one read stay apart, also without end marks."""
    first = data[0]
    reports = [one.report for one in data if one.form == first.form and one.protocol == first.protocol]
    frames = [written(first.protocol, first.form, report) for report in reports]
    found = read(first.protocol, [b"".join(frames)], first.form.line_width)
    assert [signal.event.code for signal in found] == [report.event.code for report in reports]  # type: ignore[union-attr]


@each
def test_a_heartbeat_is_read_as_one(protocol: str) -> None:
    for end in ENDS[protocol]:
        (signal,) = read(protocol, [written(protocol, LineForm(end=end), Heartbeat("01"))])
        assert (signal.event.kind, signal.id.account) == (Kind.HEARTBEAT, "")


def test_frames_are_those_of_the_manuals() -> None:
    """Every byte of the manuals' own examples."""
    duress = EventReport("01", "1", "1234", ContactId(Phase.NEW, "121", "01", "001"))
    assert written("surgard", LineForm(), duress) == b"5011 181234E12101001\x14"
    assert written("surgard", LineForm(line_width=3), duress) == b"501001 181234E12101001\x14"
    assert written("surgard", LineForm(end="none"), duress) == b"5011 181234E12101001"
    assert written("surgard", LineForm(), Heartbeat("01")) == b"1011           @    \x14"
    assert written("surgard", LineForm(line_width=3), Heartbeat("01")) == b"101000           @    \x14"
    assert written("ademco685", LineForm(), Heartbeat("01")) == b"\n00 OKAY @\r"
    medical = EventReport("1", "4", "1111", ContactId(Phase.NEW, "100", "01", "000"))
    assert written("ademco685", LineForm(), medical) == b"\n14 1111 18 E100 01 C000\r"
    opening = EventReport("1", "4", "1111", ContactId(Phase.NEW, "401", "01", "003"))
    assert written("ademco685", LineForm(), opening) == b"\n14 1111 18 E401 01 U003\r"
    assert written("radionics6500", LineForm(), duress) == b"a011 123418E12101001\x14"
    assert written("radionics6500", LineForm(), Heartbeat("01")) == b"1010           @    \x14"


def test_a_header_has_the_whole_length_in_decimal_digits() -> None:
    duress = EventReport("01", "1", "1234", ContactId(Phase.NEW, "121", "01", "001"))
    assert written("surgard", LineForm(header=True), duress) == b"\0\0\0\x25" + b"5011 181234E12101001\x14"


# --- what else a Sur-Gard says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_width", [1, 3])
def test_sia_data_are_read_again(line_width: int) -> None:
    """Several events of a panel travel in one block, with their area."""
    form = LineForm(line_width=line_width, end="none")
    first, second = read("surgard", [written("surgard", form, EventReport("01", "2", "77", SiaData("Nri1/BA01/PA02")))])
    assert [one.event.code for one in (first, second)] == ["BA", "PA"]
    assert (first.id.account, first.area, second.part, second.parts) == ("0077", "1", 2, 2)


@pytest.mark.parametrize("line_width", [1, 3])
def test_a_caller_is_joined_to_the_event_after_it(line_width: int) -> None:
    form = LineForm(line_width=line_width)
    caller = written("surgard", form, CallerId("01", "2", "1234", "973000000"))
    event = written("surgard", form, EventReport("01", "2", "1234", ContactId(Phase.NEW, "101")))
    _, signal = read("surgard", [caller + event], line_width)
    assert signal.details["caller"] == "973000000"


@pytest.mark.parametrize("line_width", [1, 3])
def test_a_line_in_speech_names_its_home(line_width: int) -> None:
    form = LineForm(line_width=line_width)
    event = written("surgard", form, EventReport("01", "2", "1234", ContactId(Phase.NEW, "101")))
    _, audio = read("surgard", [event, written("surgard", form, TwoWayAudio("01", "2"))])
    assert (audio.event.kind, audio.details["account"], audio.device) == (Kind.LISTEN_IN, "1234", "02")


@pytest.mark.parametrize("protocol", ["surgard", "ademco685"])
def test_the_receivers_own_status_is_no_homes(protocol: str) -> None:
    (signal,) = read(protocol, [written(protocol, LineForm(), OwnStatus("01", "1", "YC", "1"))])
    assert (signal.id.account, signal.details["system"]) == ("", "receiver")


# --- what cannot be written is said, never cut ------------------------------------------------------------------------

EVENT = ContactId(Phase.NEW, "101")


@each
@pytest.mark.parametrize("account", ["123456789", "35694300001234", "12G4", "home-7", "1234-5", "é", "", "   "])
def test_an_account_that_has_no_place_is_refused(protocol: str, account: str) -> None:
    """Too long, with letters beyond F, or empty: another home would be sent, so nothing is."""
    assert refused(protocol, EventReport("1", "1", account, EVENT)) == "account"


@each
def test_leading_zeros_do_not_make_an_account_longer(protocol: str) -> None:
    (signal,) = read(protocol, [written(protocol, LineForm(), EventReport("1", "1", "0000001234", EVENT))])
    assert signal.id.account == "1234"


@pytest.mark.parametrize(
    ("protocol", "report", "field"),
    [
        ("surgard", EventReport("123", "1", "1234", EVENT), "receiver"),
        ("surgard", EventReport("01", "12", "1234", EVENT), "line"),
        ("radionics6500", EventReport("01", "12", "1234", EVENT), "line"),
        ("ademco685", EventReport("01", "G", "1234", EVENT), "line"),
        ("surgard", EventReport("01", "1", "1234", ContactId(Phase.NEW, "10B")), "code"),
        ("surgard", EventReport("01", "1", "1234", ContactId(Phase.NEW, "101", "100")), "area"),
        ("surgard", EventReport("01", "1", "1234", ContactId(Phase.NEW, "101", "00", "1234")), "device"),
        ("surgard", EventReport("01", "1", "1234", SiaData("NBA01]")), "text"),
        ("surgard", EventReport("01", "1", "1234", SiaData("NBA" + "1" * 70)), "text"),
        ("surgard", EventReport("01", "1", "1234", SiaData("NBA\n")), "text"),
        ("surgard", CallerId("01", "1", "1234", "+34973000000"), "number"),
        ("surgard", CallerId("01", "1", "1234", "34973000000"), "number"),
        ("surgard", OwnStatus("01", "1", "yc"), "code"),
        ("ademco685", OwnStatus("01", "1", "yc"), "code"),
        ("ademco685", EventReport("1", "1", "1234", SiaData("NBA01")), "event"),
        ("ademco685", CallerId("1", "1", "1234", "973000000"), "number"),
        ("ademco685", TwoWayAudio("1", "1"), "event"),
        ("radionics6500", TwoWayAudio("1", "1"), "event"),
        ("radionics6500", EventReport("1", "1", "1234", SiaData("NBA01")), "event"),
    ],
)
def test_what_a_field_cannot_hold_is_named(protocol: str, report: LineReport, field: str) -> None:
    assert refused(protocol, report) == field


def test_a_caller_needs_an_end_mark_and_a_short_account() -> None:
    """Its frame has no fixed end, and only six characters for the account."""
    caller = CallerId("01", "1", "1234", "973000000")
    assert refused("surgard", caller, LineForm(end="none")) == "number"
    assert refused("surgard", caller, LineForm(account_width=8)) == "account"


@pytest.mark.parametrize(
    ("protocol", "form"),
    [
        ("surgard", LineForm(line_width=8)),
        ("surgard", LineForm(account_width=3)),
        ("surgard", LineForm(account_width=9)),
        ("surgard", LineForm(end="stx")),
        ("ademco685", LineForm(header=True)),
        ("ademco685", LineForm(end="dc4")),
        ("ademco685", LineForm(account_width=8)),
        ("radionics6500", LineForm(account_width=6)),
        ("radionics6500", LineForm(header=True)),
        ("dc09", LineForm()),
    ],
)
def test_settings_have_bounds(protocol: str, form: LineForm) -> None:
    with pytest.raises(UsageError):
        writer_of(protocol, form)


# --- recordings ------------------------------------------------------------------------------------------------------

ALL = [recording for protocol in sorted(WRITERS) for recording in recordings(protocol)]


@pytest.mark.parametrize("recording", ALL, ids=lambda r: f"{r.protocol}-{r.name}")
def test_a_recording_comes_through(recording: Recording) -> None:
    """Each event of a home in a recording, written again in Contact ID, is as urgent as it was, and of the same home.

    An event that was Contact ID is the same event: code, qualifier, area and device.
    """
    for signal in signals(decode(recording.decoder(), [recording.data])):
        if not signal.id.account:
            continue
        said = contact_id_of(signal.event, device=signal.device, area=signal.area)
        report = EventReport("1", "1", signal.id.account, said.event)
        form = LineForm(account_width=None if recording.protocol == "radionics6500" else 6)
        if len(signal.id.account) > 6:
            form = LineForm(account_width=8)
        (again,) = read(recording.protocol, [written(recording.protocol, form, report)])
        assert again.id.account.lstrip("0") == signal.id.account.lstrip("0")
        assert PRIORITIES[again.event.kind] == PRIORITIES[signal.event.kind]
        if signal.event.system == "contact_id":
            assert again.event == signal.event
            assert (int(again.area, 16), int(again.device, 16)) == (int(signal.area, 16), int(signal.device, 16))
