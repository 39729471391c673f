"""Every setting has a lower and an upper bound, so that a slip in the file is refused with its key, not later."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter

from vetlla.domain.errors import ConfigError
from vetlla.domain.tomlfile import MAX_DEPTH
from vetlla.settings.files import LARGEST
from vetlla.settings.load import load
from vetlla.settings.model import LISTENERS_MAX, Settings
from vetlla.settings.reminders.model import ReminderSettings
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.mqtt import MqttSink
from vetlla.settings.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTENER = '[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n'
OF_MQTT = {"kind": '"mqtt"', "name": '"bus"', "host": '"127.0.0.1"'}
OF_AUTOMATION = {"kind": '"automation"', "name": '"next"', "accept": '{ host = "a", port = 1 }'}
OF_WEBHOOK = {"kind": '"webhook"', "name": '"city"', "url": '"https://city.example"', "key_files": '["/k"]'}
HUGE = ("1e308", "9" * 30, "9" * 5_000, "inf", "-inf", "nan", "-1", "-1e308", "1e-300")
_LEAST, _MOST = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")


def numbers(schema: dict[str, Any], definitions: dict[str, Any], at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every place of a JSON schema that allows a number or a list."""
    if reference := schema.get("$ref"):
        yield from numbers(definitions[reference.rpartition("/")[2]], definitions, at)
    for one in schema.get("anyOf", ()):
        yield from numbers(one, definitions, at)
    for name, one in schema.get("properties", {}).items():
        yield from numbers(one, definitions, f"{at}.{name}".lstrip("."))
    for one in schema.get("oneOf", ()):
        yield from numbers(one, definitions, at)
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from numbers(schema[part], definitions, at)
    if schema.get("type") in {"integer", "number", "array"} and "enum" not in schema:
        yield at, schema


def places_of(model: type[BaseModel]) -> list[tuple[str, dict[str, Any]]]:
    """Return every place of a model that allows a number or a list."""
    schema = TypeAdapter(model).json_schema()
    return list(numbers(schema, schema["$defs"], ""))


PLACES = places_of(Settings)
NUMBERS = sorted({at for at, schema in PLACES if schema["type"] in {"integer", "number"}})


def kinds(model: type[BaseModel], at: str = "") -> Iterator[tuple[str, type]]:
    """Yield every setting that is a number."""
    for name, field in model.model_fields.items():
        places = (field.annotation, *get_args(field.annotation))
        for kind in places:
            if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel):
                yield from kinds(kind, f"{at}{name}.")
            elif kind in {int, float}:
                yield f"{at}{name}", kind


def test_every_number_has_two_bounds() -> None:
    """A setting that is added later must have bounds too."""
    unbounded = [
        at
        for at, schema in [*PLACES, *places_of(ReminderSettings)]
        if schema["type"] != "array" and not (any(map(schema.get, _MOST)) and not schema.keys().isdisjoint(_LEAST))
    ]
    assert unbounded == []
    assert {at for at, _ in kinds(Settings)} <= set(NUMBERS)
    assert len(NUMBERS) > 35


@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:8])
@pytest.mark.parametrize("setting", NUMBERS)
def test_a_value_out_of_bounds_is_refused_with_its_key(tmp_path: Path, setting: str, value: str) -> None:
    """The receiver never gets such a value: `chain_window_s = 1e308` once ended the start with a traceback."""
    *tables, key = setting.split(".")
    if setting == "supervision.intervals_s":
        value = f"{{ ucr = {value} }}"
    head = ".".join(tables)
    file = tmp_path / "vetlla.toml"
    if head in {"listen", "sip", "mqtt", "spool", "sink"}:
        needed = {
            "mqtt": {"host": '"127.0.0.1"', "node": '"arc-1"'},
            "sip": {"host": '"127.0.0.1"'},
            "spool": {"directory": '"/var/spool/alarms"'},
        }.get(head, {"protocol": '"dc09"', "host": '"127.0.0.1"', "port": "0"})
        if head == "sink":
            kinds_of_sinks = ((WebhookSink, OF_WEBHOOK), (MqttSink, OF_MQTT), (AutomationSink, OF_AUTOMATION))
            needed = next(needed for kind, needed in kinds_of_sinks if key in kind.model_fields)
        lines = "\n".join(f"{name} = {said}" for name, said in (needed | {key: value}).items())
        file.write_text(f"[[{head}]]\n{lines}\n", encoding="utf-8")
    elif tables[0] == "sink":
        way = {"serial": 'device = "/dev/null"', "connect": 'host = "a"', "accept": 'host = "a"'}[tables[-1]]
        head = '[[sink]]\nkind = "automation"\nname = "next"\n'
        file.write_text(f"{head}[sink.{tables[-1]}]\n{way}\n{key} = {value}\n", encoding="utf-8")
    elif tables[0] == "line":
        ways = {"serial": 'device = "/dev/null"', "connect": 'host = "a"', "accept": 'host = "a"'}
        table = tables[-1] if len(tables) > 1 else "serial"
        own, port = ("", f"{key} = {value}\n") if table in tables else (f"{key} = {value}\n", "")
        line = f'[[line]]\nname = "sg"\nprotocol = "surgard"\n{own}[line.{table}]\n{ways[table]}\n{port}'
        file.write_text(line, encoding="utf-8")
    else:
        file.write_text(f"{LISTENER}[{head}]\n{key} = {value}\n", encoding="utf-8")
    if setting == "supervision.tolerance_s" and value == "1e-300":
        return  # it acts like 0, which is allowed: it is added to a time and is never a pause
    if setting == "supervision.incident_share" and value == "1e-300":
        return  # any share above 0 is allowed: at least three devices make an incident anyway
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert "Traceback" not in str(refused.value)
    assert key in str(refused.value) or "not TOML" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('state_dir = "/a\\u0000b"', "state_dir"),
        (f'state_dir = "/{"a" * 5_000}"', "state_dir"),
        ('[control]\noperators = "a\\u0000b"', "control.operators"),
        (f'[control]\noperators = "{"a" * 300}"', "control.operators"),
        (LISTENER + 'name = "\\u001b[2J"', "listen[1].name"),
        (LISTENER.replace("127.0.0.1", "a\\u0000b"), "listen[1].host"),
        (LISTENER.replace("127.0.0.1", "a" * 300), "listen[1].host"),
        ('[supervision]\ntimezone = "a\\u0000b"', "supervision.timezone"),
        (f"a = {'[' * 5_000}{']' * 5_000}", "not TOML"),
        (f"{'a.' * (MAX_DEPTH + 2)}a = 1", "within each other"),
        (f"{'a.' * 5_000}a = 1", "within each other"),
        ("#" * (LARGEST + 1), "longer than"),
    ],
    ids=lambda value: re.sub(r"\W", " ", value)[:30],
)
def test_texts_and_files_have_bounds_too(tmp_path: Path, text: str, told: str) -> None:
    """A zero byte in a path or group, a name that moves a terminal's cursor and an endless file are refused."""
    file = tmp_path / "vetlla.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert told in str(refused.value)


def test_listeners_are_counted(tmp_path: Path) -> None:
    """More listeners than supervision can number are refused."""
    file = tmp_path / "vetlla.toml"
    one = '[[listen]]\nprotocol = "dc09"\nname = "{}"\nhost = "127.0.0.1"\nport = 0\n'
    file.write_text("".join(map(one.format, range(LISTENERS_MAX + 1))), encoding="utf-8")
    with pytest.raises(ConfigError, match=str(LISTENERS_MAX)):
        load(file)


def test_a_value_made_in_code_is_bounded_as_well() -> None:
    """The same bounds apply to a program that makes settings without a file."""
    for value in (1e308, inf, -inf, float("nan")):
        with pytest.raises(ValueError, match="chain_window_s"):
            Settings.model_validate({"queue": {"chain_window_s": value}})
