"""Inputs from public bug reports, manuals and clients (fixtures/field/) give the right items in ``vetlla decode``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vetlla.cli.decode import decode

FIELD = Path(__file__).parents[2] / "fixtures" / "field"
DEGREES = 1e-5
"""Expected positions are written with six digits."""

app = typer.Typer()
app.command()(decode)


def cases() -> list[Any]:
    return [
        pytest.param(case.get("protocol", file.stem), case, id=f"{file.stem}-{case['id']}")
        for file in sorted(FIELD.glob("*.json"))
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
    ]


def decoded(protocol: str, case: dict[str, Any]) -> list[dict[str, Any]]:
    arguments = [protocol, "--json", "--answer", *case["options"]]
    content = case["content"].encode("latin-1").hex() if protocol == "mqtt" else case["content"]
    result = CliRunner().invoke(app, arguments, input=content)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [json.loads(line) for line in result.stdout.split("\n") if line]  # a text may hold other line ends


def fits(item: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(_has(item, name, value) for name, value in expected.items())


def _has(item: dict[str, Any], name: str, value: Any) -> bool:  # noqa: ANN401 - as JSON gives it
    event = item.get("event") or {}
    match name:
        case "kind":
            has = event.get("kind") in (value if isinstance(value, list) else [value])
        case "code" | "phase":
            has = event.get(name) == value
        case "answered":
            has = bool(item.get("answer")) is value
        case "answer" | "reply":
            has = bytes.fromhex(item.get("raw" if name == "reply" else "answer", "")) == value.encode()
        case "pos":
            has = _is_at(item.get("position"), value)
        case "meas" | "details":
            has = value.items() <= item.get("measurements" if name == "meas" else name, {}).items()
        case "nomeas":
            has = not set(value) & set(item.get("measurements", {}))
        case "text_has":
            has = value in (item.get("text") or "")
        case _:
            has = item.get(name) == value
    return has


def _is_at(position: dict[str, float] | None, place: list[float] | None) -> bool:
    if position is None or place is None:
        return position is None and place is None
    return abs(position["latitude"] - place[0]) < DEGREES and abs(position["longitude"] - place[1]) < DEGREES


@pytest.mark.parametrize(("protocol", "case"), cases())
def test_case(protocol: str, case: dict[str, Any]) -> None:
    """The decoder returns each expected item, and no item of a kind that the case excludes."""
    items = decoded(protocol, case)
    wanted = case["expected"] if isinstance(case["expected"], list) else [case["expected"]]
    left = list(items)
    for expected in wanted:
        fields = {name: value for name, value in expected.items() if name != "notkind"}
        found = next((item for item in left if fits(item, fields)), None)
        assert found is not None, (expected, case.get("why"), items)
        left.remove(found)
        assert all((item.get("event") or {}).get("kind") != expected.get("notkind", "") for item in items), items
