"""The form of all messages: a request that knows its name and its answer, and the two forms of an answer.

A request is checked when it is made, by a command or from a line of the socket: wrong arguments raise a UsageError that
names the argument. Answers and events are typed dictionaries, because a page has hundreds of entries: the daemon builds
them without a check, and the tests check each of them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator, with_config
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict  # pydantic cannot use the one of Python 3.11

from vetlla.domain.errors import AccessError, ConfigError, LinkError, StoreError, UsageError, VetllaError

if TYPE_CHECKING:
    from pydantic import ModelWrapValidatorHandler
    from pydantic_core import ErrorDetails

    from vetlla.receiver.control.roles import Caller

CONTROL_SOCKET = "control.sock"
"""Name of the socket in the state directory."""
NAME_SHOWN = 64
"""Characters of an unknown name that its refusal repeats."""
TEXT_MAX = 500
"""Characters of a name or a reason."""
PAGE_MAX = 500
"""Alarms or devices in one answer: some 20 ms of the loop, about 200 kB of JSON."""

AnswerT = TypeVar("AnswerT")
EventT = TypeVar("EventT")

answer_form = with_config(ConfigDict(extra="forbid", strict=True))
"""Decorator of a typed dictionary that is an answer or a part of one: a check refuses other keys and other types."""


class OneOf:
    """Annotation of a text in an answer that must be one of these words: ``Annotated[str, OneOf(*State)]``."""

    def __init__(self, *words: str) -> None:
        self._words = [str(word) for word in words]

    def __get_pydantic_core_schema__(self, _: object, __: object) -> CoreSchema:
        return core_schema.literal_schema(self._words)


class Spelled:
    """Annotation of an argument that is a member of an enumeration here, and one of these words in a message."""

    def __init__(self, members: Mapping[str, Enum]) -> None:
        self._members = {str(word): member for word, member in members.items()}
        self._words = {member: word for word, member in self._members.items()}

    def __get_pydantic_core_schema__(self, _: object, __: object) -> CoreSchema:
        word = core_schema.no_info_before_validator_function(
            lambda given: self._words[given] if isinstance(given, Enum) else given,
            core_schema.literal_schema(list(self._members)),
        )
        return core_schema.no_info_after_validator_function(
            self._members.__getitem__,
            word,
            serialization=core_schema.plain_serializer_function_ser_schema(self._words.__getitem__),
        )


# --- requests ---------------------------------------------------------------------------------------------------------


def _with_its_name(schema: dict[str, Any]) -> None:
    schema["required"] = ["do", *schema.get("required", ())]


class Message(BaseModel):
    """Arguments of a request. An argument that is null means the same as one that is left out."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        defer_build=True,  # a command uses one or two of them
        json_schema_extra=_with_its_name,
    )

    do: str
    """Name of the request; a class of a request has it as its default."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, given: object, check: "ModelWrapValidatorHandler[Self]") -> Self:
        if isinstance(given, Mapping):
            given = {name: value for name, value in given.items() if value is not None}
        try:
            return check(given)
        except ValidationError as error:
            raise cls._refusal(error.errors(include_url=False)[0]) from error

    @classmethod
    def _refusal(cls, fault: "ErrorDetails") -> UsageError:
        name = str(fault["loc"][0])
        known = _SENTENCES.get(fault["type"])
        sentence = known.format(**fault.get("ctx", {})) if known else fault["msg"]
        if len(fault["loc"]) > 1:
            sentence = "lacks an entry" if fault["type"] == "missing" else f"has an entry that {sentence}"
        field = cls.model_fields.get(name)
        remedy = {"string_too_long": "shorten it", "extra_forbidden": f"leave it out; known: {cls._known()}"}
        return UsageError(
            f"{name[:NAME_SHOWN]!r} {sentence}",
            remedy=(field.description if field else None) or remedy.get(fault["type"], ""),
        )

    @classmethod
    def _known(cls) -> str:
        return ", ".join(cls.arguments()) or "none"

    @classmethod
    def arguments(cls) -> list[str]:
        """Return the names of the arguments."""
        return [name for name in cls.model_fields if name != "do"]

    @classmethod
    def wire_name(cls) -> str:
        """Return the name of the request in a message."""
        return str(cls.model_fields["do"].default)

    def on_the_wire(self) -> dict[str, object]:
        """Return the request ready for JSON, without the arguments that have their default."""
        return {"do": self.do, **self.model_dump(mode="json", exclude={"do"}, exclude_defaults=True)}


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is no argument of this request",
    "int_type": "should be a whole number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "string_type": "should be a text",
    "string_too_short": "should be a text that is not empty",
    "string_too_long": "holds at most {max_length} characters",
    "tuple_type": "should be a list",
    "too_long": "holds at most {max_length} entries",
    "dict_type": "should be an object",
    "literal_error": "should be one of the words {expected}",
    "greater_than_equal": "should be at least {ge}",
    "less_than_equal": "should be at most {le}",
}
"""By type of a pydantic error: the end of a sentence that begins with the argument's name."""


class Route(NamedTuple):
    """A kind of request, and what answers it: an answer, or the events of a stream."""

    kind: type[Message]
    handle: Callable[[Any, "Caller"], Any]


class Request(Message, Generic[AnswerT]):
    """A request with one answer."""

    @classmethod
    def answered_by(cls, handle: "Callable[[Self, Caller], Awaitable[AnswerT]]") -> Route:
        """Return the route from this kind of request to the function that answers it."""
        return Route(cls, handle)


class Stream(Message, Generic[EventT]):
    """A request that is answered with events until one side closes the connection."""

    @classmethod
    def told_by(cls, handle: "Callable[[Self, Caller], AsyncGenerator[EventT, None]]") -> Route:
        """Return the route from this kind of request to the function that yields its events."""
        return Route(cls, handle)


# --- the line of an answer --------------------------------------------------------------------------------------------

FAMILIES: Mapping[str, type[VetllaError]] = {
    "usage": UsageError,
    "store": StoreError,
    "link": LinkError,
    "config": ConfigError,
    "access": AccessError,
}
"""By word in a message: the class of the error, whose family gives the exit status of a command."""


@answer_form
class Success(TypedDict):
    """The line that answers a request."""

    ok: Literal[True]
    result: object


@answer_form
class Failure(TypedDict):
    """The line that answers a request which was refused or failed; it may also end a stream."""

    ok: Literal[False]
    family: str
    error: str
    remedy: str


def failure(error: VetllaError) -> Failure:
    """Return the line that reports an error to a caller."""
    family = next((family for family, kind in FAMILIES.items() if isinstance(error, kind)), "usage")
    return {"ok": False, "family": family, "error": error.args[0], "remedy": error.remedy}


def error_of(line: Failure) -> VetllaError:
    """Return the error that a line reports."""
    return FAMILIES[line["family"]](line["error"], remedy=line["remedy"])
