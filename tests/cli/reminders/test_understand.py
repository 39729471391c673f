"""``vetlla reminders understand`` and ``segments``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

READING = ["text", "intent", "language", "number", "sure"]


def test_lines_of_text_and_of_json_give_one_object_each(vetlla: Vetlla) -> None:
    lines = [
        "Vull anul·lar la cita",
        json.dumps({"text": "ANUL·LAR 2", "offered": [1, 2], "awaiting": 2}),
        "{ja json",
        "",
    ]
    done = vetlla("reminders", "understand", "--json", stdin="\n".join(lines) + "\n")
    assert [list(one) for one in done.json] == [READING] * 4
    assert done.json[0] == {"text": lines[0], "intent": "cancel", "language": "ca", "number": None, "sure": True}
    assert done.json[1] == {"text": "ANUL·LAR 2", "intent": "cancel", "language": "ca", "number": 2, "sure": True}
    assert [one["intent"] for one in done.json[2:]] == ["none", "none"]


@pytest.mark.parametrize(
    ("offered", "intent"), [([1, 2], "cancel"), (2, "cancel"), (True, "cancel"), ([], "ask"), (None, "ask")]
)
def test_offered_numbers_are_a_list_or_a_count(vetlla: Vetlla, offered: object, intent: str) -> None:
    done = vetlla("reminders", "understand", "--json", stdin=json.dumps({"text": "2", "offered": offered}))
    assert done.json[0]["intent"] == intent


def test_no_is_an_answer_only_where_the_question_said_so(vetlla: Vetlla) -> None:
    asked = json.dumps({"text": "no", "yes_no": True})
    assert [one["intent"] for one in vetlla("reminders", "understand", "--json", stdin=f"no\n{asked}\n").json] == [
        "ask",
        "cancel",
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"texts": "sí"}',
        '{"text": 1}',
        '{"text": "sí", "awaiting": "2"}',
        '{"text": "sí", "offered": ["1"]}',
        '{"text": "no", "yes_no": 1}',
    ],
)
def test_an_object_that_cannot_be_used_names_its_line(vetlla: Vetlla, line: str) -> None:
    done = vetlla("reminders", "understand", stdin=f"sí\n{line}\n")
    assert done.status == os.EX_USAGE
    assert "line 2" in done.error


def test_a_file_is_read_and_shown_for_people(vetlla: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "replies"
    file.write_bytes(
        "SÍ\r\nanul·lar 2\n\xff\n".encode("latin-1", "ignore").replace(b"\xff", b"") + "anul·lar\n".encode()
    )
    done = vetlla("reminders", "understand", file)
    assert done.status == 0
    assert done.out.splitlines()[-1].split() == ["cancel", "ca", "sure", "anul·lar"]


def test_segments_are_counted_for_each_line(vetlla: Vetlla) -> None:
    done = vetlla("reminders", "segments", "--json", stdin='hola\n{"text": "a\\nb"}\nanul·lar\n')
    assert done.json == [
        {"encoding": "gsm7", "segments": 1, "units": 4},
        {"encoding": "gsm7", "segments": 1, "units": 3},
        {"encoding": "ucs2", "segments": 1, "units": 8},
    ]
    assert "ucs2" in vetlla("reminders", "segments", stdin="anul·lar").out


def test_an_office_can_try_a_lexicon_of_its_own(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("reminders", "understand", "--lexicon", tmp_path, stdin="sí\n")
    assert done.status == os.EX_CONFIG
    assert "any.toml" in done.error
