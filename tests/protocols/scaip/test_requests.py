"""Every recorded request is read as its file says, and no document costs more than its bytes or raises an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.steps import steps
from vetlla.domain.signals import Kind
from vetlla.protocols.codes.scaip import COMPONENTS, LOCATIONS, SCAIP, component
from vetlla.protocols.scaip.answer import AnswerStatus
from vetlla.protocols.scaip.markup import MAX_BODY, read_markup
from vetlla.protocols.scaip.request import REQUESTS_MOST, MessageType, read_requests, write_request

if TYPE_CHECKING:
    from vetlla.protocols.scaip.request import ScaipRequest

FILES = sorted((Path(__file__).parents[3] / "fixtures" / "scaip").glob("*.json"))
LEAST = "<mrq><ref>1</ref><cid>26317</cid><dty>0003</dty></mrq>"


def only(body: str) -> ScaipRequest:
    (request,) = read_requests(body.encode())
    return request


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_request_is_read_as_its_file_says(file: Path) -> None:
    """The type, code, reference, account and addresses, and the status of the answer."""
    recording: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    request, expect = only(recording["body"]), recording["expect"]
    shown = {
        name: getattr(request, name)
        for name in expect.keys() & {"type", "code", "ref", "cid", "addresses", "is_orderly"}
        | expect.keys() & {"wants_call_back", "more_follows"}
    }
    assert shown == {name: expect[name] for name in shown}
    assert request.objection() == expect["objection"]
    assert {name: request.first(name) for name in expect.get("fields", {})} == expect.get("fields", {})


def test_the_captured_alarms_are_alarms_and_no_heartbeat_is_one() -> None:
    """The type counts before the status: TeleAlarm's heartbeat has the status of an automatic alarm."""
    types = {file.stem: only(json.loads(file.read_text(encoding="utf-8"))["body"]).type for file in FILES}
    captured = {name: kind for name, kind in types.items() if name.endswith(("-alarm", "-heartbeat", "-fault"))}
    assert len(captured) == 9
    for name, kind in captured.items():
        assert (kind is MessageType.HEARTBEAT) == name.endswith("-heartbeat")


@pytest.mark.parametrize("cut", range(1, len(LEAST)))
def test_a_cut_request_never_becomes_another_one(cut: int) -> None:
    """Half an account is no account, and half a status is none; what is left is still shown to an operator."""
    for part in (LEAST[:cut], LEAST[cut:]):
        for request in read_requests(part.encode()):
            assert request.cid in {"", "26317"}
            assert request.code in {"0000-0010", "0003-0010"}
            assert request.objection() is not AnswerStatus.ACCEPTED


def test_two_requests_in_a_body_are_two() -> None:
    """Side by side, and one within the other because the end of the first one is missing."""
    second = LEAST.replace("<ref>1<", "<ref>2<")
    assert [request.ref for request in read_requests((LEAST + second).encode())] == ["1", "2"]
    nested = read_requests((LEAST.removesuffix("</mrq>") + second).encode())
    assert sorted(request.ref for request in nested) == ["1", "2"]
    assert not any(request.is_orderly for request in nested)
    assert len(read_requests(LEAST.encode() * 20)) == REQUESTS_MOST


@pytest.mark.parametrize("body", ["", " ", "hello", "<html><body>x</body></html>", "<mrs><snu>0</snu></mrs>", "{}"])
def test_what_is_no_request_is_none(body: str) -> None:
    assert read_requests(body.encode()) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_texts_of_other_encodings_are_read(encoding: str) -> None:
    """Windows-1252 without a word about it is what firmware sends; its doubt shows in the answer alone."""
    body = LEAST.replace("</mrq>", "<stt>Caiguda, més</stt></mrq>").encode(encoding)
    (request,) = read_requests(body)
    assert (request.cid, request.first("stt")) == ("26317", "Caiguda, més")
    assert request.is_orderly == (encoding != "cp1252")


@pytest.mark.parametrize("rest", ["<!--", "<!-- <a", "<?", "<![CDATA[x", "<mrq", "</", "x", "</mrq>"])
def test_a_document_with_something_behind_it_is_disorderly(rest: str) -> None:
    """It may have been another request."""
    request = read_requests((LEAST + rest).encode())[0]
    assert (request.cid, request.is_orderly) == ("26317", False)


def test_a_body_beyond_the_bound_is_read_up_to_it() -> None:
    long = LEAST.replace("</mrq>", f"<stt>{'x' * MAX_BODY}</stt></mrq>").encode()
    (request,) = read_requests(long)
    assert (request.cid, request.is_orderly, "stt" in request.fields) == ("26317", False, False)


def test_the_tables_have_every_component_and_location() -> None:
    """The codes are those of the fact sheet, 1.6."""
    assert sorted(COMPONENTS) == [f"{number:03}" for number in range(30)]
    assert sorted(LOCATIONS) == [f"{number:03}" for number in range(53)]
    assert (component("2"), component("022"), component("030")) == ("button 1", "Ethernet", "")
    lost, back = SCAIP.find("0003-0123"), SCAIP.find("0003-0124")
    assert (lost.kind, back.kind) == (Kind.DEVICE_LOST, Kind.DEVICE_LOST)


NAMES = st.sampled_from(["ref", "cid", "dty", "stc", "stt", "crd", "mty", "lge/geo", "lge/tim", "x1"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)


@given(st.lists(st.tuples(NAMES, TEXTS), max_size=12))
def test_a_request_that_was_written_is_read_again(fields: list[tuple[str, str]]) -> None:
    """In the same order for each element; ElementTree, which is not ours, reads the same."""
    body = write_request(fields)
    (request,) = read_requests(body)
    expected: dict[str, list[str]] = {}
    for name, text in fields:
        expected.setdefault(name, []).append(text)
    assert {name: values for name, values in request.fields.items() if name != "lge"} == expected
    tree = ET.fromstring(body)
    for name, texts in expected.items():
        assert [element.text or "" for element in tree.findall(name)] == texts


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Make a well-formed document with all that XML offers a careful writer."""

    def leaf() -> str:
        text = draw(TEXTS)
        kind = draw(st.integers(0, 3))
        content = f"<![CDATA[{text}]]>" if kind == 0 and "]]>" not in text else escape(text)
        return content + (f"&#{ord(text[0])};&#x{ord(text[0]):x};" if kind == 1 and text else "")

    names = draw(st.lists(st.sampled_from(["ref", "cid", "stc", "x:lva"]), max_size=6))
    gap = draw(st.sampled_from(["", "\n ", "<!-- <a> & -->", "<?pi x?>"]))
    inner = gap.join(f'<{name} a="1">{leaf()}</{name}>' if draw(st.booleans()) else f"<{name} />" for name in names)
    return f'<?xml version="1.0"?>{gap}<mrq xmlns:x="urn:x">{gap}{inner}{gap}</mrq>{gap}'


@given(documents())
def test_elementtree_reads_a_well_formed_document_as_we_do(document: str) -> None:
    """Its elements, their order and their texts; and we hold none of them for disorderly."""
    tree = ET.fromstring(document)
    request = only(document)
    theirs: dict[str, list[str]] = {}
    for element in tree:
        theirs.setdefault(element.tag.rpartition("}")[2], []).append(element.text or "")
    assert request.fields == theirs
    assert request.is_orderly


PIECES = st.sampled_from(
    ["<mrq>", "</mrq>", "<ref>", "</ref>", "<cid>1</cid>", "<", ">", "&", "&#0;", "&#x110000;", "&#xD800;", "<!--",
     "-->", "<![CDATA[", "]]>", "<!DOCTYPE", "<?", "?>", "/", "a", " ", "<a/>", "<lge>", "</lge>", "\0", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_document_is_taken(document: str) -> None:
    for body in (document.encode(), document.encode("latin-1", "replace"), document.encode("utf-16")):
        for request in read_requests(body):
            assert isinstance(request.code, str)
            assert isinstance(request.objection(), AnswerStatus)
            assert request.type in set(MessageType)


SHAPES = (
    "<",
    "<a>",
    "</a>",
    "<a/>",
    "<!--",
    "<![CDATA[",
    "<?",
    "&",
    "&#1",
    "<a ",
    "<mrq>",
    "<mrq><ref>",
    "<!",
    "]]>",
    "a",
)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_bytes_cost_at_most_four_times_the_steps(shape: str) -> None:
    """Steps of the interpreter, which are the same on every machine. Only the first ``MAX_BODY`` bytes are read."""
    small, large = ((LEAST + shape * (size // len(shape))).encode() for size in (MAX_BODY // 4 - 60, MAX_BODY - 240))
    assert steps(lambda: read_requests(large)) <= 4.5 * steps(lambda: read_requests(small)) + 2_000
    assert len(read_markup(large).elements) <= 256
