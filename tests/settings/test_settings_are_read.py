"""Every setting does something: code outside the room of settings reads it."""

from __future__ import annotations

import ast
import typing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vetlla.settings.model import Settings
from vetlla.settings.reminders.model import ReminderSettings
from vetlla.settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).parents[2] / "vetlla"


def _sections(hint: object) -> Iterator[type[Section]]:
    if isinstance(hint, type) and issubclass(hint, Section):
        yield hint
        for field in hint.model_fields.values():
            yield from _sections(field.annotation)
    for part in typing.get_args(hint):
        yield from _sections(part)


def _read() -> set[str]:
    """Return the attributes that code outside the room of settings reads."""
    trees = (
        ast.parse(file.read_text(encoding="utf-8"))
        for file in HOUSE.rglob("*.py")
        if HOUSE / "settings" not in file.parents
    )
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


READ = _read()
_ALL = {*_sections(Settings), *_sections(ReminderSettings)}


@pytest.mark.parametrize(
    "setting",
    sorted({f"{section.__name__}.{name}" for section in _ALL for name in section.model_fields}),
)
def test_a_setting_is_read(setting: str) -> None:
    """A setting that no code reads would be shown, documented and without effect."""
    assert setting.rpartition(".")[2] in READ


def test_all_sections_of_the_file_are_checked() -> None:
    """The check covers sections within sections, and lists of them."""
    assert {"Settings", "Listen", "Tls", "Mqtt", "QueueSettings", "TwilioSms", "StepSettings"} <= {
        one.__name__ for one in _ALL
    }
