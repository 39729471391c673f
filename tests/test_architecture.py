"""docs/architecture.md describes the code as it is now."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import core
from tests.rigs.sink_peer import SinkPeer, settings_of, webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "vetlla"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return what stands under a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> list[str]:
    """Return what the first column of a table names in code."""
    cells = re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def folders(where: Path) -> Iterable[str]:
    """Return the names of packages in a folder."""
    return (path.name for path in where.iterdir() if (path / "__init__.py").exists())


def test_the_rooms_are_those_of_the_house_and_of_the_contract() -> None:
    """The table, the folders and the contract name the same rooms."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = " | ".join(contracts[0]["layers"]).split(" | ")
    assert set(first_column(section("The rooms"))) == set(folders(HOUSE)) == {name[7:] for name in layers}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_/\d]+\.(?:py|md|toml))`", PAGE))))
def test_a_named_file_exists(name: str) -> None:
    """Files are named from the root, from the package or from the daemon's room."""
    rooms = (ROOT, HOUSE, HOUSE / "receiver", HOUSE / "receiver" / "supervision")
    assert any((room / name).is_file() for room in rooms)


def test_the_walk_has_ten_steps() -> None:
    """Each step of the walk is numbered and names a file."""
    steps = re.split(r"^\d+\. ", section("The walk of a frame"), flags=re.MULTILINE)[1:]
    assert len(steps) == 10
    assert all(".py`" in step for step in steps)


async def test_participants_are_listed_in_their_order(tmp_path: Path) -> None:
    """The table has the participants that the daemon is built with."""
    settings = settings_of(tmp_path, webhook())
    async with core(tmp_path, settings=settings, deliveries=lambda _, __: SinkPeer()) as rig:
        modules = [type(one).__module__.split(".", 2)[2] for one in rig.commit.participants]
        assert first_column(section("The life of a commit")) == [f"{one.replace('.', '/')}.py" for one in modules]


def test_supervision_is_described_file_by_file() -> None:
    """Each file of the folder that has a part of supervision is in the table."""
    there = {path.name for path in (HOUSE / "receiver" / "supervision").glob("*.py")} - {"__init__.py"}
    doors = {"requests.py", "view.py", "wheel.py", "bounds.py"}
    assert set(first_column(section("The timeline of supervision"))) == there - doors


def test_the_timeline_is_the_same_on_both_pages() -> None:
    """The page for operators and the page for maintainers draw one timeline, with the settings of its distances."""
    timeline = section("The timeline of supervision").split("```")[1]
    assert all(word in timeline for word in ("heard", "expected", "late", "grace", "lost", "stop", "restart"))
    assert timeline in (ROOT / "docs" / "supervision.md").read_text(encoding="utf-8")


async def test_each_part_that_follows_settings_is_in_the_list(tmp_path: Path) -> None:
    """A part with ``apply`` that ``build`` makes is reloadable; a new one cannot be forgotten."""
    async with core(tmp_path) as rig:
        apart = {rig.supervision}  # takes many turns of the loop
        parts = {part for part in (*rig.parts[:-1], *rig.commit.participants) if hasattr(part, "apply")}
        reloadable: set[object] = set(rig.parts.reloadable)
        assert parts - apart == reloadable
