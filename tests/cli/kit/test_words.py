"""Every command shows words for a person as they are, without markup, emoji or control characters."""

from __future__ import annotations

import ast
import io
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.rigs.daemon import VETLLA, Daemon, running
from tests.rigs.daemon import vetlla as run
from tests.rigs.terminal import Terminal
from tests.rigs.terminal_screen import screen
from vetlla.cli.kit.output import PIPE_WIDTH, Screen, json_line, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from tests.cli.conftest import Vetlla

CLI = Path(__file__).parents[3] / "vetlla" / "cli"
# Rich takes `:AB:` of a MAC address for a blood group (Textualize/rich issue 2098) and `[red]` for a style.
PLAIN = ("00:AB:CD:12", "[red]", "[/]", "[bold red]x[/bold red]", ":smile:", "[link=file:///etc]x[/link]", "\\[red]")
HIDDEN = {
    "\x1b]0;owned\x07": r"\x1b]0;owned\x07",
    "\x1b[2Jx": r"\x1b[2Jx",
    "a\rb": r"a\rb",
    "a\nalarm 7: closed": r"a\nalarm 7: closed",
    "a\tb": r"a\tb",
    "\x9b31mx": r"\x9b31mx",
    "\x7f\x08": r"\x7f\x08",
    "abc\u202etxt": r"abc\u202etxt",
    "caf\udce9": r"caf\udce9",
}
"""Texts that a terminal would obey, and how they are shown."""
SAID = {**{word: word for word in PLAIN}, **HIDDEN}


def shown(renderable: RenderableType, *, terminal: bool = False) -> str:
    out = io.StringIO()
    Screen(file=out, width=PIPE_WIDTH, force_terminal=terminal, color_system="truecolor" if terminal else None).print(
        renderable, soft_wrap=not isinstance(renderable, Table)
    )
    return out.getvalue()


@pytest.mark.parametrize("said", SAID, ids=ascii)
def test_a_sentence_and_a_cell_show_the_same_word(said: str) -> None:
    """The word is the same in a sentence, in a table's cell, heading and title, and inside a group."""
    table = Table(said, title=said, box=None)
    table.add_row(said)
    for renderable, times in ((f"home {said}.", 1), (table, 3), (Group(f"-> {said}"), 1)):
        text = shown(renderable)
        assert text.count(SAID[said]) == times
        assert all(one.isprintable() for one in text.replace("\n", ""))


@pytest.mark.parametrize("said", HIDDEN, ids=ascii)
def test_on_a_terminal_only_the_programs_own_colours_are_obeyed(said: str) -> None:
    """A style stays on the same letters, with or without escapes before them."""
    # rich drops the control characters that it knows when a Text is made; the others are shown.
    styled = shown(Text.assemble(said.translate(dict.fromkeys(b"\7\10\13\14\15")), ("here", "red")), terminal=True)
    assert "\x1b[31mhere\x1b[0m" in styled
    rest = styled.replace("\x1b[31mhere\x1b[0m", "")
    assert all(one.isprintable() for one in rest.rstrip("\n"))


def test_a_live_picture_shows_text_as_it_is() -> None:
    """The board draws its screen again and again through the same console."""
    out = io.StringIO()
    with Live(console=Screen(file=out, force_terminal=True, width=80, height=5), auto_refresh=False) as live:
        live.update(Group(Text("home 00:AB:CD:12 [red]"), Text("\x1b]0;owned")), refresh=True)
    assert "home 00:AB:CD:12 [red]" in out.getvalue()
    assert r"\x1b]0;owned" in out.getvalue()
    assert "\x1b]0;" not in out.getvalue()


def test_a_message_keeps_the_lines_that_the_program_gave_it(capsys: pytest.CaptureFixture[str]) -> None:
    """An error and its remedy keep their own lines."""
    tell("vetlla: no home '[red]:AB:'\n  -> vetlla inventory import", "red")
    assert capsys.readouterr().err == "vetlla: no home '[red]:AB:'\n  -> vetlla inventory import\n"


@pytest.mark.parametrize("said", SAID, ids=ascii)
def test_json_on_a_terminal_is_harmless_and_exact(said: str) -> None:
    """A machine reads the exact text; nothing in it controls a terminal."""
    line = json_line({"text": said})
    assert line.rstrip("\n").isprintable()
    assert json.loads(line) == {"text": said}


# --- real output ------------------------------------------------------------------------------------------------------

SERIAL = "[red]S:AB:1[/red]"
HOME = "H[/]:CD:12"
ACCOUNT = "00:AB:CD:12"
NOTE = "\x1b]0;owned\x07[red]door[/red] 00:AB:CD\nalarm 7: closed"
NOTE_SHOWN = r"\x1b]0;owned\x07[red]door[/red] 00:AB:CD\nalarm 7: closed"


@pytest.fixture
def park(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry in which every text looks like markup or an emoji's name."""
    homes, devices, people = (tmp_path / f"{what}.csv" for what in ("homes", "devices", "people"))
    homes.write_text(
        f"code,district,base,level,alone,active\n{HOME},[01],[NORD]:AB:,2,yes,2020-01-01/\n", encoding="utf-8"
    )
    people.write_text(f"code,home,user_type,programmes\n[P]:AB:,{HOME},A,[x]:2020-01-01/\n", encoding="utf-8")
    devices.write_text(
        "type,serial,model,account,ownership,place,home,first_installed,since\n"
        f"terminal_ip,{SERIAL},[m]:AB:,{ACCOUNT},leased,home,{HOME},2024-01-10,2024-01-10\n"
        f"ucr,{SERIAL},,,leased,warehouse,,,\n",
        encoding="utf-8",
    )
    for what, file in (("homes", homes), ("people", people), ("devices", devices)):
        assert vetlla("inventory", "import", file, "--what", what, "--day", "2024-04-01").status == 0
    assert vetlla("accounts", "set", ACCOUNT, "--home", HOME, "--labels", "x:AB:y", "--clock-window", "off").status == 0
    return vetlla


REGISTERED = [
    ("inventory show", [HOME], [HOME, "[NORD]:AB:", "[P]:AB:", SERIAL, ACCOUNT]),
    ("inventory show", [f"terminal_ip:{SERIAL}"], [SERIAL, "[m]:AB:", ACCOUNT, HOME]),
    ("inventory list", [], [SERIAL, "[m]:AB:", ACCOUNT, HOME]),
    ("inventory find", ["AB"], [SERIAL]),
    ("inventory at", ["2024-04-01"], [SERIAL]),
    ("inventory history", [f"ucr:{SERIAL}"], [f"ucr:{SERIAL}"]),
    ("inventory check", ["--day", "2024-04-01"], [f"terminal_ip:{SERIAL}"]),
    ("inventory install", [f"ucr:{SERIAL}", HOME, "--day", "2024-05-01"], [f"ucr:{SERIAL}: installed", f"home {HOME}"]),
    ("inventory battery", [f"ucr:{SERIAL}", "--day", "2024-05-01"], [f"ucr:{SERIAL}: battery"]),
    ("inventory move", [f"terminal_ip:{SERIAL}", "[bold]:AB:"], ["no home '[bold]:AB:'"]),
    ("inventory digital", [], ["1 of 1 terminals"]),
    ("maintenance due", ["--within", "20000"], [SERIAL, HOME]),
    ("renewals due", ["--to", "2040-01-01"], [SERIAL, HOME]),
    ("accounts list", [], [ACCOUNT, HOME, "x:AB:y"]),
    ("accounts show", [ACCOUNT], [ACCOUNT, HOME, "x:AB:y"]),
    ("accounts show", ["[red]:AB:"], ["account [red]:AB: is not registered"]),
    ("accounts set", [ACCOUNT, "--home", "[b]:CD:"], [f"account {ACCOUNT}: home {HOME} -> [b]:CD:"]),
    ("accounts remove", [ACCOUNT], [f"account {ACCOUNT}: removed"]),
    ("accounts import", ["[x]:AB:.csv"], ["[x]:AB:.csv: No such file"]),
    ("inventory import", ["[x]:AB:.csv"], ["[x]:AB:.csv: No such file"]),
    ("signals show", ["1", "--state-dir", "/[red]:AB:"], ["/[red]:AB:"]),
    ("db verify", ["/[red]:AB:"], ["/[red]:AB:"]),
    ("check-config", ["/[red]:AB:.toml"], ["/[red]:AB:.toml"]),
]


@pytest.mark.parametrize(("command", "arguments", "words"), REGISTERED, ids=lambda value: str(value)[:30])
def test_registered_text_is_shown_as_it_is(park: Vetlla, command: str, arguments: list[str], words: list[str]) -> None:
    """Tables, sheets, sentences and errors of the commands show it in a pipe."""
    done = park(*command.split(), *arguments)
    text = done.out + done.talk + done.error
    for word in words:
        assert word in text
    assert "🆎" not in text


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run a receiver with an alarm of an account that looks like an emoji's name, and with a hostile note."""
    with running(tmp_path_factory.mktemp("words")) as started:
        account = ("accounts", "set", "12AB", "--home", HOME, "--labels", "x:AB:y", "--interval", "1h")
        run(*account, state_dir=started.state_dir)
        with Terminal(started.port, "12AB") as terminal:
            terminal.alarm()
        run("queue", "claim", "1", state_dir=started.state_dir)
        run("queue", "note", "1", NOTE, state_dir=started.state_dir)
        run("queue", "test", "12AB", "--for", "60", "--reason", "[b]:AB:\x1b]0;owned", state_dir=started.state_dir)
        yield started


@pytest.mark.parametrize("on", ["a pipe", "a terminal"])
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["queue", "list"], [HOME]),
        (["queue", "note", "1", ":AB:"], [HOME]),
        (["queue", "test", "12AB", "--for", "60", "--reason", "[b]:AB:\x1b]0;owned"], ["12AB"]),
        (["queue", "test"], [r"[b]:AB:\x1b]0;owned"]),
        (["signals", "list"], [HOME]),
        (["signals", "show", "1"], [HOME, NOTE_SHOWN]),
        (["signals", "tail", "-n", "1"], [HOME]),
        (["supervision", "list", "--state", "ok"], [HOME]),
        (["supervision", "show", "12AB"], [HOME, "x:AB:y"]),
        (["supervision", "pause", "12AB", "--for", "60", "--reason", "[b]:AB:\x1b]0;owned"], []),
        (["audit", "list"], [r":AB:\u001b]0;owned"]),
        (["status"], ["ready"]),
        (["board", "--once"], [HOME[:12]]),
        (["rejects", "list"], []),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_text_of_the_receiver_is_shown_as_it_is(daemon: Daemon, command: list[str], words: list[str], on: str) -> None:
    """The commands of the queue, the journal and supervision show it in a pipe and on a terminal."""
    given = [VETLLA, *command, "--state-dir", str(daemon.state_dir)]
    environment = {**os.environ, "COLUMNS": str(PIPE_WIDTH), "TERM": "xterm-256color"}
    if on == "a pipe":
        done = subprocess.run(given, capture_output=True, check=False, timeout=60, env=environment)
        text = (done.stdout + done.stderr).decode()
        assert all(one.isprintable() for one in text.replace("\n", "")), text
    else:
        master, slave = pty.openpty()
        with subprocess.Popen(given, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
            os.close(slave)
            text = screen(master).decode()
            process.wait(60)
        os.close(master)
        assert "\x1b]0;" not in text
    assert "Traceback" not in text
    assert "🆎" not in text
    for word in words:
        assert word in text


# --- no way around it -------------------------------------------------------------------------------------------------

STREAMS = {
    "board/command.py": "asks whether there is a terminal",
    "cards/commands.py": "reads a card from stdin",
    "completion.py": "writes a script for a shell",
    "kit/output.py": "makes the consoles, and writes JSON",
    "decode.py": "reads frames from stdin",
    "kit/confirming.py": "asks whether there is a terminal",
    "kit/exits.py": "redirects standard output after its reader has ended",
    "keys.py": "reads a key from stdin",
    "main.py": "names the file that it installs",
    "kit/parameters.py": "asks whether there is a terminal",
    "queue/card.py": "flushes an alarm before its card is read",
    "reminders/lines.py": "reads lines from stdin",
    "signals/commands.py": "streams JSON and CSV",
    "simulate/dial.py": "asks whether there is a terminal",
    "simulate/receiver.py": "asks whether there is a terminal",
    "kit/streams.py": "installs the streams",
    "supervision/report.py": "streams JSON and CSV",
    "support/reporting.py": "streams CSV",
}
"""Files that use sys.stdin, sys.stdout or sys.stderr themselves, and why no word for a person goes that way."""
FORBIDDEN = {
    "print": "vetlla.cli.kit.output.console().print",
    "echo": "vetlla.cli.kit.output.console().print",
    "secho": "vetlla.cli.kit.output.console().print",
    "rprint": "vetlla.cli.kit.output.console().print",
    "from_markup": "Text.assemble",
    "render_markup": "Text.assemble",
    "Console": "vetlla.cli.kit.output.console",
    "Panel": "it reads markup in its title: use a Table",
    "track": "vetlla.cli.kit.progress.progress",
}
ALLOWED = {("output.py", "Console"), ("main.py", "echo")}
"""The console itself, and the version, which is the program's own text."""


def _calls(file: Path) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield node.lineno, name, node


@pytest.mark.parametrize("file", sorted(CLI.rglob("*.py")), ids=lambda file: file.name)
def test_no_command_bypasses_the_console(file: Path) -> None:
    """No command makes its own console, prints without it, or switches on what it switches off."""
    ways = []
    for line, name, call in _calls(file):
        bare = not isinstance(call.func, ast.Attribute) or getattr(call.func.value, "id", "") in {"typer", "rich"}
        if name in FORBIDDEN and (file.name, name) not in ALLOWED and (bare or name != "print"):
            ways.append(f"{line}: {name}: use {FORBIDDEN[name]}")
        said = {keyword.arg: keyword.value for keyword in call.keywords}
        on = [word for word in ("markup", "emoji", "highlight") if getattr(said.get(word), "value", False) is True]
        ways += [f"{line}: {word}=True" for word in on]
        if name == "TextColumn" and getattr(said.get("markup"), "value", True):
            ways.append(f"{line}: a TextColumn reads markup unless markup=False")
        if name == "status" and call.args and not isinstance(call.args[0], ast.Constant | ast.Name):
            ways.append(f"{line}: the words of a spinner are read as markup")
    assert not ways


def test_each_use_of_a_standard_stream_has_a_reason() -> None:
    """A new file that uses a stream must explain it in this list."""
    touching = {
        file.relative_to(CLI).as_posix()
        for file in CLI.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"stdin", "stdout", "stderr"}
        and getattr(node.value, "id", "") == "sys"
    }
    assert touching == set(STREAMS)
