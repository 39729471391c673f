"""The recipes of CONTRIBUTING.md hold: what belongs together is there, by whichever hand it was added."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.rigs.command_tree import Command, commands
from vetlla.protocols.registry import PROTOCOLS

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
INDEX = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
DATABASES = sorted(path.name for path in (ROOT / "vetlla" / "store" / "migrations").iterdir() if path.is_dir())

NOT_FOR_MACHINES = {
    "receiver": "a daemon: its answers are its log, `vetlla status` and /metrics",
    "demo": "a picture for people",
    "inventory export": "writes a file in the format asked for",
    "renewals export": "writes a file in the format asked for",
}
"""Commands without --json, and why."""


def _by_path(command: Command) -> str:
    return command.path


# --- decoders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_decoder_is_complete(name: str) -> None:
    """A line of the registry has its file, with the frame drawn at its head, recordings, and a page in the docs."""
    protocols = ROOT / "vetlla" / "protocols"
    files = (protocols / f"{name}.py", protocols / name / "decoder.py", protocols / name / "__init__.py")
    file = next(path for path in files if path.exists())
    assert file.read_text(encoding="utf-8").lstrip("r").startswith('"""')
    assert any((ROOT / "fixtures" / name).glob("*.json"))
    assert (ROOT / "docs" / "protocols" / f"{name}.md").is_file()
    assert f"(protocols/{name}.md)" in INDEX


def test_no_recordings_without_a_decoder() -> None:
    """Each page of a protocol belongs to a line of the registry."""
    assert {page.stem for page in (ROOT / "docs" / "protocols").glob("*.md")} == set(PROTOCOLS)


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", commands(), ids=_by_path)
def test_a_command_helps(command: Command) -> None:
    """It says what it does in one sentence, gives an example of itself, and answers machines too."""
    first, _, _ = command.help.partition("\n")
    assert first.endswith((".", "?")), "the first line is a sentence"
    assert re.search(rf"Example: (.*[ |(])?vetlla {command.path}\b", command.help), "an example of this very command"
    assert "--json" in command.options or command.path in NOT_FOR_MACHINES


@pytest.mark.parametrize("command", commands(), ids=_by_path)
def test_a_command_lives_in_its_groups_file(command: Command) -> None:
    """Its code is found by its name: a group's commands in the group's file."""
    assert command.module.startswith("vetlla.cli.")
    if " " in command.path:
        group = command.path.split()[0]
        assert re.split("[._]", command.module.removeprefix("vetlla.cli."))[0] == group.split("-")[0]


def test_commands_are_documented() -> None:
    """docs/commands.md has one row for each command there is, and none for one that is gone."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `vetlla ([a-z][a-z -]*?)`", page, flags=re.MULTILINE)
    assert rows == sorted(set(rows), key=rows.index)
    assert set(rows) == {command.path for command in commands()}


# --- folders ----------------------------------------------------------------------------------------------------------


def _folders() -> list[Path]:
    rooms = (ROOT / "vetlla", ROOT / "tests", ROOT / "bench")
    return sorted({file.parent for room in rooms for file in room.rglob("*.py")})


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_family_of_files_is_a_folder(folder: Path) -> None:
    """Three files of one subject stand in a folder of that name, and are not told apart by a prefix."""
    names = (file.stem.removeprefix("test_") for file in folder.glob("*.py") if file.stem != "__init__")
    families = Counter(name.partition("_")[0] for name in names)
    assert not [name for name, files in families.items() if files >= 3]


@pytest.mark.parametrize("room", ["service", "store", "receiver", "cli"])
def test_a_subject_has_one_name_in_tests_and_code(room: str) -> None:
    """The tests of a subject's folder stand in a folder of the same name."""
    subjects = {path.name for path in (ROOT / "vetlla" / room).iterdir() if (path / "__init__.py").exists()}
    # ``doctor`` is one file that many tests are about, and files of rows are read and written by many commands.
    tested = {path.name for path in (ROOT / "tests" / room).iterdir() if (path / "__init__.py").exists()}
    assert tested <= subjects | {"doctor", "files"}


# --- log events -------------------------------------------------------------------------------------------------------


def test_log_events_are_in_the_handbook() -> None:
    """docs/operations.md explains each event that the daemon logs, and none that it does not."""
    logged = set()
    for file in (ROOT / "vetlla").rglob("*.py"):
        logged |= set(re.findall(r"^\s*log\.\w+\(\s*\"([a-z_.]+)\"", file.read_text(encoding="utf-8"), re.MULTILINE))
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = handbook.partition("| event | level |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)`", table, re.MULTILINE)) == logged


# --- types ------------------------------------------------------------------------------------------------------------


def test_everything_is_type_checked() -> None:
    """Each package of the house is in mypy's strict run, the measurements too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["mypy"]["packages"]) == {file.parent.name for file in ROOT.glob("*/__init__.py")}


# --- migrations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", DATABASES)
def test_migrations_are_numbered_without_holes(database: str) -> None:
    """Steps are 0001, 0002 ... each once, each with a name that says what it does."""
    names = sorted(path.name for path in (ROOT / "vetlla" / "store" / "migrations" / database).iterdir())
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name) for name in names), names
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


# --- the recipes and the pages themselves -----------------------------------------------------------------------------


def _recipes() -> dict[str, str]:
    parts = re.split(r"^## (How do I .*)\n", CONTRIBUTING, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_contributing_answers_the_questions() -> None:
    """How do I add a decoder, a command, a migration: each has an answer."""
    assert {f"How do I add a {thing}?" for thing in ("decoder", "command", "migration")} <= set(_recipes())


@pytest.mark.parametrize("question", _recipes())
def test_an_answer_has_at_most_five_steps(question: str) -> None:
    """Steps are numbered from one, and five are enough."""
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", _recipes()[question], flags=re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    assert 1 <= len(steps) <= 5


def test_named_files_exist() -> None:
    """A file that CONTRIBUTING.md names is there; one with a placeholder has its folder."""
    for name in re.findall(r"`([\w./<>-]+/[\w./<>-]*)`", CONTRIBUTING):
        fixed = name.partition("<")[0]
        assert (ROOT / fixed).exists() or (ROOT / fixed).parent.is_dir(), name


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file that is there."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    """docs/README.md leads to every page of the docs."""
    pages = {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in INDEX} == set()
