"""The example configuration and the handbook list every setting with its default, and the example loads."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import BaseModel

from vetlla.settings.load import load
from vetlla.settings.model import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "vetlla.toml"
HANDBOOK = ROOT / "docs" / "configuration.md"


def paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return every setting as ``section.key``."""
    found = []
    for name, field in model.model_fields.items():
        sections = list(tables(field.annotation))
        for section in sections:
            found += paths(section, f"{prefix}{name}.")
        found += [] if sections else [f"{prefix}{name}"]
    return list(dict.fromkeys(found))


def tables(hint: object) -> Iterator[type[BaseModel]]:
    """Yield the tables that a value may be; a table with a kind may be one of several."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    for part in get_args(hint):
        yield from tables(part)


EVERY_SETTING = paths(Settings)
WITH_DEFAULT = [
    path
    for path in EVERY_SETTING
    if not path.startswith(("listen", "sip", "mqtt", "line", "spool", "sink", "control.")) or path == "control.mode"
]
"""Listeners, brokers, line receivers, spools, sinks, groups are left out: the example shows them with a value."""


def all_switched_on() -> str:
    """Return the example with every ``#key = value`` uncommented."""
    return re.sub(r"^#(?=\w+ = |\[\[)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def at(values: Any, setting: str) -> Any:  # noqa: ANN401 - a TOML tree
    """Return the value at ``section.key``, in the first table of a list that has it. Raises if there is none."""
    for part in setting.split("."):
        values = next(table for table in values if part in table)[part] if isinstance(values, list) else values[part]
    return values


def handbook_row(setting: str) -> str:
    """Return the handbook's column "default" in the row of a setting."""
    section = setting.partition(".")[0] if "." in setting else "Top level"
    text = HANDBOOK.read_text(encoding="utf-8").split("\n## ")
    (chapter,) = [chapter for chapter in text if chapter.splitlines()[0].strip("[]") == section]
    (row,) = [line for line in chapter.splitlines() if line.startswith(f"| `{setting.rpartition('.')[2]}` |")]
    return row.split("|")[2].strip().strip("`")


def test_the_example_changes_nothing_but_the_listener() -> None:
    """The example as shipped is a working configuration: one DC-09 listener and every default."""
    settings = load(EXAMPLE)

    assert [listen.protocol for listen in settings.listen] == ["dc09"]
    assert settings.model_copy(update={"listen": ()}) == Settings()


def test_the_example_loads_with_every_comment_switched_on(tmp_path: Path) -> None:
    """Vetlla accepts the setting in every commented line."""
    (tmp_path / "vetlla.toml").write_text(all_switched_on(), encoding="utf-8")

    assert load(tmp_path / "vetlla.toml").control.operators == "vetlla-operators"


@pytest.mark.parametrize("setting", EVERY_SETTING)
def test_every_setting_is_in_the_example_and_in_the_handbook(setting: str) -> None:
    """A reader finds every setting in both places."""
    assert at(tomllib.loads(all_switched_on()), setting) is not None
    assert handbook_row(setting)


@pytest.mark.parametrize("setting", WITH_DEFAULT)
def test_the_value_in_the_example_is_the_default(setting: str) -> None:
    """An engineer who removes a # changes nothing."""
    assert at(tomllib.loads(all_switched_on()), setting) == at(Settings().model_dump(mode="json"), setting)


@pytest.mark.parametrize("setting", [path for path in WITH_DEFAULT if path not in {"keys_file", "cards_key_file"}])
def test_the_default_in_the_handbook_is_the_default(setting: str) -> None:
    """The handbook's column "default" is TOML and has the value that Vetlla uses."""
    written = tomllib.loads(f"default = {handbook_row(setting)}")["default"]

    assert written == at(Settings().model_dump(mode="json"), setting)
