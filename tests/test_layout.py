"""The tree follows the recipes of CONTRIBUTING.md: the parts that belong together exist."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import Command, commands
from tests.rigs.messages import EXAMPLES, KINDS
from vetlla.protocols.registry import PROTOCOLS
from vetlla.receiver.control.schema import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
INDEX = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
DATABASES = sorted(path.name for path in (ROOT / "vetlla" / "store" / "migrations").iterdir() if path.is_dir())

NOT_FOR_MACHINES = {
    "receiver": "it is a daemon, which programs read by its log, `vetlla status` and /metrics",
    "reminders demo": "it shows two telephones to a person",
    "reminders run": "it is a daemon, which programs read by its log and by `vetlla reminders list`",
    "cards export": "it writes a file in the requested format",
    "demo": "it shows a picture for people",
    "duties export": "it writes a file in the requested format",
    "inventory export": "it writes a file in the requested format",
    "custody export": "it writes a file in the requested format",
    "renewals export": "it writes a file in the requested format",
    "calls export": "it writes a file in the requested format",
}
"""Commands without --json, each with the reason."""


def _parsed(folder: Path, word: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the files below a folder that have this word, and their trees; others need no parser."""
    for file in folder.rglob("*.py"):
        if word in (text := file.read_text(encoding="utf-8")):
            yield file, ast.parse(text)


def _by_path(command: Command) -> str:
    return command.path


# --- decoders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_decoder_is_complete(name: str) -> None:
    """A protocol of the registry has a file with its frame drawn at the top, recordings, and a page in the docs."""
    protocols = ROOT / "vetlla" / "protocols"
    files = (protocols / f"{name}.py", protocols / name / "decoder.py", protocols / name / "__init__.py")
    file = next(path for path in files if path.exists())
    assert file.read_text(encoding="utf-8").lstrip("r").startswith('"""')
    assert any((ROOT / "fixtures" / name).glob("*.json"))
    assert (ROOT / "docs" / "protocols" / f"{name}.md").is_file()
    assert f"(protocols/{name}.md)" in INDEX


def test_a_recording_is_named_for_what_it_shows() -> None:
    """Names of recordings are words, not the numbers of a collection."""
    names = {path.stem for path in (ROOT / "fixtures").glob("*/*.json")}
    assert not {name for name in names if not re.fullmatch(r"[a-z][a-z0-9]+(-[a-z0-9]+)*", name)}
    assert not {name for name in names if re.search(r"-[0-9a-f]{8}$", name)}


def test_no_recordings_without_a_decoder() -> None:
    """Recordings and pages of a protocol belong to a protocol of the registry."""
    assert {page.stem for page in (ROOT / "docs" / "protocols").glob("*.md")} == set(PROTOCOLS)


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", commands(), ids=_by_path)
def test_a_command_helps(command: Command) -> None:
    """A command's help has a first sentence and an example, and the command has --json for programs."""
    first, _, _ = command.help.partition("\n")
    assert first.endswith((".", "?")), "the first line of help must be a sentence"
    assert re.search(rf"Example: (.*[ |(])?vetlla {command.path}\b", command.help), "help must have an example of it"
    assert "--json" in command.options or command.path in NOT_FOR_MACHINES


@pytest.mark.parametrize("command", commands(), ids=_by_path)
def test_a_command_is_in_its_groups_file(command: Command) -> None:
    """The code of a group's command is in the file of that group."""
    assert command.module.startswith("vetlla.cli.")
    if " " in command.path:
        group = command.path.split()[0]
        assert re.split("[._]", command.module.removeprefix("vetlla.cli."))[0] == group.split("-")[0]


def test_commands_are_documented() -> None:
    """docs/commands.md has one row for each existing command, and no other row."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `vetlla ([a-z][a-z -]*?)`", page, flags=re.MULTILINE)
    assert rows == sorted(set(rows), key=rows.index)
    assert set(rows) == {command.path for command in commands()}


# --- requests of the control socket -----------------------------------------------------------------------------------


def test_requests_are_documented() -> None:
    """docs/control.md has each request of the models in one row, and no other request."""
    page = (ROOT / "docs" / "control.md").read_text(encoding="utf-8")
    roles = "everyone|operators|supervisors|engineers"
    rows = re.findall(rf"^\| (`[a-z.]+`(?:, `[a-z.]+`)*) \| (?:{roles})", page, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([a-z.]+)`", row)]
    assert sorted(named) == sorted(KINDS) == sorted(EXAMPLES)


def test_a_request_of_each_subject_has_a_model() -> None:
    """Every file of messages that has requests is one of the schema's subjects."""
    folder = ROOT / "vetlla" / "receiver" / "control" / "messages"
    texts = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.py")}
    with_requests = {name for name, text in texts.items() if "    do: Literal[" in text}
    assert with_requests == {subject.__name__.rpartition(".")[2] for subject in SUBJECTS}


# --- folders ----------------------------------------------------------------------------------------------------------


def _folders() -> list[Path]:
    rooms = (ROOT / "vetlla", ROOT / "tests", ROOT / "bench")
    return sorted({file.parent for room in rooms for file in room.rglob("*.py")})


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_family_of_files_is_a_folder(folder: Path) -> None:
    """Three files of one subject are in a folder of that name, and do not share a prefix instead."""
    names = (file.stem.removeprefix("test_") for file in folder.glob("*.py") if file.stem != "__init__")
    families = Counter(name.partition("_")[0] for name in names)
    assert not [name for name, files in families.items() if files >= 3]


@pytest.mark.parametrize("room", ["service", "store", "receiver", "cli"])
def test_a_subject_has_one_name_in_tests_and_code(room: str) -> None:
    """The tests of a subject's folder are in a folder of the same name."""
    subjects = {path.name for path in (ROOT / "vetlla" / room).iterdir() if (path / "__init__.py").exists()}
    # ``doctor`` is one file with many tests, and many commands read and write files of rows.
    tested = {path.name for path in (ROOT / "tests" / room).iterdir() if (path / "__init__.py").exists()}
    assert tested <= subjects | {"doctor", "files"}


@pytest.mark.parametrize(
    "file",
    sorted(file for room in ROOT.glob("vetlla/*/") if room.name != "store" for file in room.rglob("*.py")),
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_only_the_store_has_sql(file: Path) -> None:
    """Statements and transactions stand in one room, so that another database is one room's work."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"\.execute(many|script)?\(|\"(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK)\b", text)


ONE_DOOR = {
    # The third and the fourth read the package's own tables of codes.
    "csv": {"tables/delimited.py", "tables/headless.py", "protocols/codes/rows.py", "domain/failures.py"},
    "zipfile": {f"tables/xlsx/{name}.py" for name in ("parts", "reading", "writing")},
    "stdnum": {"domain/imei.py", "domain/spanish_numbers.py"},
    "phonenumbers": {"domain/telephones.py"},
}
"""Modules and libraries that few files may import, and these files."""


@pytest.mark.parametrize("module", ONE_DOOR)
def test_files_of_rows_have_one_way_in_and_out(module: str) -> None:
    """Every export has the guard against formulas, and every column is checked by one function."""
    using = set()
    for file, tree in _parsed(ROOT / "vetlla", module):
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == module for name in names):
                using.add(str(file.relative_to(ROOT / "vetlla")))
    assert using == ONE_DOOR[module]


def test_parts_of_workbooks_are_written_in_one_room() -> None:
    """Only the files of ``vetlla/tables/xlsx`` know how a workbook is made."""
    using = [file for file in (ROOT / "vetlla").rglob("*.py") if "spreadsheetml" in file.read_text(encoding="utf-8")]
    assert {file.parent for file in using} == {ROOT / "vetlla" / "tables" / "xlsx"}


# --- supervision ------------------------------------------------------------------------------------------------------

SUPERVISION = ROOT / "vetlla" / "receiver" / "supervision"
DOORS = {"supervision", "view", "requests", "expectations", "line_receivers", "bounds"}
"""The files of supervision that other code may import: the facade, what is built on it, and what is given to it."""


def _owner(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _reaches(tree: ast.AST) -> list[str]:
    """Return the expressions that use a part of supervision to reach a part of that part."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and isinstance(part := node.value, ast.Attribute)):
            continue
        whole = part.value
        of_values = isinstance(whole, ast.Attribute) and _owner(whole.value).lstrip("_") in {"settings", "batch"}
        if _owner(whole).lstrip("_") == "supervision" and not of_values:
            found.append(ast.unparse(node))
    return found


def test_no_other_code_reaches_into_supervision() -> None:
    """Other code calls the methods of the facade. It imports no part, and goes through none to another part."""
    for file, tree in _parsed(ROOT / "vetlla", "supervision"):
        if file.parent != SUPERVISION:
            imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
            parts = {name.rpartition(".")[2] for name in imported if name.startswith("vetlla.receiver.supervision.")}
            assert parts <= DOORS, file
        assert _reaches(tree) == [], file


def test_a_reach_into_a_part_is_noticed() -> None:
    """The check above finds a part of a part, and lets settings and batches pass."""
    code = "self._supervision.incidents.open\nsettings.supervision.intervals_s.get(1)\nparts.supervision.stop()"
    assert _reaches(ast.parse(code)) == ["self._supervision.incidents.open"]


def test_one_file_knows_the_clock_of_silence() -> None:
    """Only ``silence.py`` knows when earlier runs ended, and what makes a device late."""
    for file in (ROOT / "vetlla" / "receiver").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
        assert file.name == "silence.py" or not names & {"Uptime", "misses", "miss_us"}, file


# --- bounds in tests --------------------------------------------------------------------------------------------------


def _patched_constants(tree: ast.AST) -> list[str]:
    """Return the calls that replace an upper-case name with ``monkeypatch.setattr``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr":
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if texts and texts[0].rpartition(".")[2].isupper():  # the name, or the whole path of the name
                found.append(ast.unparse(node))
    return found


def test_bounds_are_given_to_constructors() -> None:
    """No test replaces a constant of a module. Tests build the object with a smaller bound instead."""
    for file, tree in _parsed(ROOT / "tests", "setattr"):
        assert _patched_constants(tree) == [], file


def test_a_patched_constant_is_noticed() -> None:
    """The check above finds both forms of the call, and lets other names pass."""
    wrong = ["patch.setattr(tcp, 'LINGER_S', 1)", "patch.setattr('vetlla.receiver.budget.PEERS_MAX', 3)"]
    right = ["patch.setattr(os, 'fchmod', made)", "patch.setattr(os, 'sep', 'X')", "setattr(said, name, 'X')"]
    assert _patched_constants(ast.parse("\n".join(wrong + right))) == wrong


# --- log events -------------------------------------------------------------------------------------------------------


def test_log_events_are_in_the_handbook() -> None:
    """docs/operations.md explains exactly the events that the daemon logs."""
    logged = set()
    for file in (ROOT / "vetlla").rglob("*.py"):
        logged |= set(re.findall(r"^\s*log\.\w+\(\s*\"([a-z_.]+)\"", file.read_text(encoding="utf-8"), re.MULTILINE))
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = handbook.partition("| event | level |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)`", table, re.MULTILINE)) == logged


# --- types ------------------------------------------------------------------------------------------------------------


def test_everything_is_type_checked() -> None:
    """Mypy's strict run includes every package, also the measurements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["mypy"]["packages"]) == {file.parent.name for file in ROOT.glob("*/__init__.py")}


# --- migrations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", DATABASES)
def test_migrations_are_numbered_without_holes(database: str) -> None:
    """Steps are 0001, 0002 ... without a gap, and each has a name."""
    names = sorted(path.name for path in (ROOT / "vetlla" / "store" / "migrations" / database).iterdir())
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name) for name in names), names
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


# --- the recipes and the pages themselves -----------------------------------------------------------------------------


def _recipes() -> dict[str, str]:
    parts = re.split(r"^## (How do I .*)\n", CONTRIBUTING, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_contributing_answers_the_questions() -> None:
    """CONTRIBUTING.md answers how to add each kind of new thing."""
    things = (
        "decoder",
        "command",
        "request of the control socket",
        "migration",
        "part that writes with the next commit",
        "listener",
        "task of the office",
    )
    assert {f"How do I add a {thing}?" for thing in (*things, "subject")} <= set(_recipes())


@pytest.mark.parametrize("question", _recipes())
def test_an_answer_has_at_most_five_steps(question: str) -> None:
    """The steps of an answer are numbered from one, and there are at most five."""
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", _recipes()[question], flags=re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    assert 1 <= len(steps) <= 5


def test_named_files_exist() -> None:
    """Every file that CONTRIBUTING.md names exists. For a name with a placeholder its folder exists."""
    for name in re.findall(r"`([\w./<>-]+/[\w./<>-]*)`", CONTRIBUTING):
        fixed = name.partition("<")[0]
        assert (ROOT / fixed).exists() or (ROOT / fixed).parent.is_dir(), name


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to an existing file."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    """docs/README.md links every page of the docs."""
    pages = {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in INDEX} == set()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", sorted(path.name for path in (ROOT / "vetlla").iterdir() if path.is_dir()))
def test_a_class_name_is_unique_in_its_room(room: str) -> None:
    """One name has one meaning: no two public classes of a room share one."""
    trees = _parsed(ROOT / "vetlla" / room, "class ")
    names = Counter(node.name for _, tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, times in names.items() if times > 1 and not name.startswith("_")] == []
