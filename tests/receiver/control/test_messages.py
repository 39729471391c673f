"""The messages of the control socket: which arguments a request takes, what is sent of them, and their schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.rigs.core import core
from tests.rigs.messages import EXAMPLES, KINDS, checked, request_of
from vetlla.domain import errors
from vetlla.domain.errors import AccessError, ConfigError, LinkError, StoreError, UsageError, VetllaError
from vetlla.receiver.control import schema
from vetlla.receiver.control.messages.base import FAMILIES, error_of, failure
from vetlla.receiver.control.messages.queue import ListAlarms
from vetlla.receiver.control.messages.supervision import PauseDevices

DOCS = Path(__file__).parents[3] / "docs"
FILE = DOCS / "control.schema.json"
PAGE = DOCS / "control.md"
DOCUMENT = schema.document()
VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.lists(st.integers() | st.text(max_size=3) | st.none(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
"""Arguments of any type. A null is no argument."""


def validator(form: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return what checks a form of the schema."""
    return jsonschema.Draft202012Validator(form | {"$defs": DOCUMENT["$defs"]})


REQUESTS = {do: validator(forms["request"]) for do, forms in DOCUMENT["messages"].items()}


def fits(do: str, arguments: dict[str, Any]) -> bool:
    """Return True if the schema allows a request."""
    return REQUESTS[do].is_valid({"do": do, **arguments})


ARGUMENTS = [(do, name) for do, kind in KINDS.items() for name in kind.arguments()]


@pytest.mark.parametrize(("do", "name"), ARGUMENTS)
@settings(deadline=None, max_examples=15)
@given(value=VALUES)
def test_a_wrong_argument_is_refused_by_its_name(do: str, name: str, value: object) -> None:
    """What the schema does not allow is a usage error that names the argument, for each argument of each request."""
    arguments = EXAMPLES[do] | {name: value}
    assume(not fits(do, arguments))
    with pytest.raises(UsageError) as refusal:
        request_of(do, **arguments)
    assert refusal.value.args[0].startswith(f"'{name}' ")


@pytest.mark.parametrize("do", KINDS)
def test_an_unknown_argument_is_refused_by_its_name(do: str) -> None:
    """A misspelt argument must not be ignored; the remedy lists the arguments."""
    with pytest.raises(UsageError) as refusal:
        request_of(do, **EXAMPLES[do], forse=True)
    assert refusal.value.args[0] == "'forse' is no argument of this request"
    assert all(name in refusal.value.remedy for name in KINDS[do].arguments())


@pytest.mark.parametrize(("do", "name"), [(do, name) for do, least in EXAMPLES.items() for name in least])
def test_a_missing_argument_is_refused_by_its_name(do: str, name: str) -> None:
    """An argument without a default must be given, and null is not a value."""
    without = {other: value for other, value in EXAMPLES[do].items() if other != name}
    for given_arguments in (without, without | {name: None}):
        with pytest.raises(UsageError, match=f"'{name}' is missing"):
            request_of(do, **given_arguments)


@pytest.mark.parametrize(("do", "name"), ARGUMENTS)
@settings(deadline=None, max_examples=15)
@given(value=VALUES)
def test_a_request_survives_the_wire(do: str, name: str, value: object) -> None:
    """A command and the receiver read the same from a line; the line has only what differs from the defaults."""
    try:
        request = request_of(do, **EXAMPLES[do] | {name: value})
    except UsageError:
        return
    line = json.dumps(request.on_the_wire())
    assert request_of(**json.loads(line)) == request
    assert json.loads(line).keys() <= {"do", *EXAMPLES[do], name}


def test_a_client_asks_for_the_next_page_with_a_list() -> None:
    """JSON has no tuples, and some languages write truth values as 0 and 1; the request is the same."""
    first = ListAlarms(home="H1", limit=10)
    following = first.following(json.loads("[1, false, 5, 6]"))
    assert following == first.following([1, 0, 5, 6])
    assert following.on_the_wire() == {"do": "queue.list", "home": "H1", "limit": 10, "after": [1, False, 5, 6]}
    for wrong, why in (([1, 0, 5], "lacks an entry"), ([1, 0, 5, "6"], "has an entry that should be a whole number")):
        with pytest.raises(UsageError, match=f"'after' {why}"):
            ListAlarms.model_validate({"after": wrong})


@pytest.mark.parametrize("blank", ["", " ", "\x1c\x1d", "\u00a0\t"])
def test_a_text_of_blanks_alone_is_empty(blank: str) -> None:
    """A reason that a person cannot see is no reason; and blanks around a text are removed, whatever they are."""
    with pytest.raises(UsageError, match="'reason' should be a text that is not empty"):
        PauseDevices(account="1001", reason=blank)
    assert PauseDevices(account="1001", reason=f"{blank}leak{blank}").reason == "leak"
    assert ListAlarms(home=blank).home == ""


def test_a_request_takes_null_as_left_out() -> None:
    """Scripts may send null for an argument that they do not have."""
    arguments = dict.fromkeys(("alarm", "force"))
    assert request_of("queue.claim", **arguments) == request_of("queue.claim")


@pytest.mark.parametrize("kind", [UsageError, StoreError, LinkError, ConfigError, AccessError])
def test_an_error_survives_the_wire(kind: type[VetllaError]) -> None:
    """Family, text and remedy arrive as they were sent."""
    error = error_of(json.loads(json.dumps(failure(kind("it cannot", remedy="wait")))))
    assert (type(error), error.args[0], error.remedy) == (kind, "it cannot", "wait")


def test_every_family_of_errors_has_a_word() -> None:
    """A new family could not be told to a command."""
    assert set(FAMILIES.values()) == {kind for kind in vars(errors).values() if _is_family(kind)}


def _is_family(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, VetllaError) and kind is not VetllaError


def test_the_schema_in_the_docs_is_current() -> None:
    """The file is made from the models."""
    assert FILE.read_text(encoding="utf-8") == schema.text(), "write it again: make schema"


def test_the_schema_is_a_schema() -> None:
    """Each form is valid, and the example of each request fits it."""
    jsonschema.Draft202012Validator.check_schema(DOCUMENT)  # with all definitions, once for all forms
    whole = jsonschema.Draft202012Validator(DOCUMENT)
    for do, forms in DOCUMENT["messages"].items():
        for form in forms.values():
            jsonschema.Draft202012Validator.check_schema(form)
        assert fits(do, EXAMPLES[do])
        whole.validate({"do": do, **EXAMPLES[do]})


def test_the_examples_in_the_docs_fit() -> None:
    """Each line of the page that a client or the receiver sends fits the schema, and so does the answer to it."""
    do = ""
    lines = re.findall(r"^([<>]) (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(lines) == 7
    for side, line in lines:
        message = json.loads(line)
        if side == ">":
            assert request_of(**message).on_the_wire() == message
            do = message["do"]
        elif "ok" in message:
            validator(DOCUMENT["line"]["success" if message["ok"] else "failure"]).validate(message)
            if message["ok"]:
                checked(do, message["result"])
        else:
            checked(do, message)


async def test_the_queue_supervision_and_sinks_answer_what_the_schema_has(tmp_path: Path) -> None:
    """Each request of these subjects has a route, and each route is in the schema."""
    async with core(tmp_path) as rig:
        subjects = ("queue.", "supervision.", "sinks.", "watch")
        assert set(rig.routes) == {do for do in KINDS if do.startswith(subjects)}
