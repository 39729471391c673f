"""No command lets a stranger's words move a cursor, colour or reverse a line, or look like a line of the program.

Every command is called on databases full of such words. A new command is tested without a new line here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_every_command import COMMANDS, ENDLESS
from tests.protocols.test_codes import SENT
from tests.rigs.daemon import VETLLA
from tests.rigs.hostile_place import HOSTILE, hostile_place
from vetlla.cli.kit.exits import LONGEST_ARGUMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.lived_in import Place
    from tests.rigs.nursery import Nursery

OWN = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\r?\x1b\[(?:1A|2K)")
"""The program's own colours and progress bars, as rich writes them. No hostile word has this form."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with hostile_place() as made:
        yield made


def harmless(text: str) -> bool:
    """Return True if the text has nothing that a terminal would obey."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("on", ["a pipe", "a terminal"])
@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in ENDLESS])
def test_stored_text_does_not_control_the_terminal(program: Nursery, place: Place, path: str, on: str) -> None:
    """Answers, warnings and errors are harmless, in both forms that commands have."""
    environment = place.environment | ({"FORCE_COLOR": "1"} if on == "a terminal" else {})
    for form in ((), ("--json",)):
        if form and "--help" in place.words(path):
            continue
        left = program.run(*place.words(path), *form, environment=environment)
        assert "Traceback" not in left.err, left.err
        for text in (left.out, left.err):
            assert harmless(OWN.sub("", text) if on == "a terminal" else text), ascii(text)
            assert "\nalarm 9 closed" not in text


def test_watched_text_does_not_control_the_terminal(place: Place) -> None:
    """The watch shows first the open alarms and their number, and all of it is harmless."""
    told = ""
    with subprocess.Popen(
        [VETLLA, "queue", "watch"], env={**os.environ, **place.environment}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told += line
            if line.endswith("are open\n"):
                break
        process.terminate()
    assert "owned" in told
    assert harmless(told)


@pytest.mark.parametrize("protocol", sorted(SENT))
def test_decoded_text_does_not_control_the_terminal(program: Nursery, place: Place, protocol: str) -> None:
    """A recording of a stranger's frames has hostile bytes in place of the code, of a text, and as noise."""
    said = HOSTILE.replace("]", "").encode()
    frames = [SENT[protocol](said[:500]), SENT[protocol](said[1:200]), said[:300]]
    recording = place.directory / f"{protocol}.hex"
    recording.write_text("\n".join(frame.hex() for frame in frames), encoding="ascii")
    for form in ((), ("--answer",), ("--json",), ("--maker", "ajax")):
        left = program.run("decode", protocol, recording, *form)
        assert left.out
        assert harmless(left.out + left.err), ascii(left)


@pytest.mark.parametrize("ending", ["csv", "json", "ndjson"])
@pytest.mark.parametrize("path", ["accounts import", "inventory import"])
def test_imported_text_does_not_control_the_terminal(program: Nursery, place: Place, path: str, ending: str) -> None:
    """Faults repeat headings and cells of another office's file, and stay harmless."""
    file = place.directory / f"hostile.{ending}"
    said = HOSTILE[:900]
    rows: dict[str, object] = {"account": said, "serial": said, "type": said, said: said}
    if ending == "csv":
        cells = ['"' + text.replace('"', "") + '"' for text in rows]
        file.write_text("\n".join([",".join(cells)] * 3), encoding="utf-8")
    else:
        file.write_text(json.dumps([rows] if ending == "json" else rows) + "\n", encoding="utf-8")
    left = program.run(*path.split(), file, environment=place.environment)
    assert left.status == os.EX_USAGE
    assert "Traceback" not in left.err
    assert harmless(left.out + left.err), ascii(left)


WORDS = ["\x1b]0;owned\x07", "\x9b2J", "\u202e", "a\nalarm 9 closed", "A" * 60_000]


FORMS: tuple[Callable[[str], list[str]], ...] = (
    lambda word: [word] * 5,
    lambda word: [f"--{word}"],
    lambda word: [f"--json={word}"],
    lambda word: ["--state-dir", "/nowhere", "--limit", word],
)
"""Where a word stands: as arguments, as an option, as the value of a flag, and as the value of a number."""


@pytest.mark.parametrize("word", WORDS, ids=lambda word: ascii(word)[:12])
@pytest.mark.parametrize("path", COMMANDS)
def test_an_argument_does_not_control_the_terminal(program: Nursery, place: Place, path: str, word: str) -> None:
    """A script may pass on a text from elsewhere; the parser's error about it is harmless, too.

    Each command meets each word and each form, and each word meets each form; all three together would take minutes.
    """
    form = FORMS[(sorted(COMMANDS).index(path) + WORDS.index(word)) % len(FORMS)]
    left = program.run(*path.split(), *form(word), environment=place.environment)
    assert left.status != 0
    assert "Traceback" not in left.err, left.err
    assert harmless(left.out), ascii(left.out)
    assert harmless(left.err), ascii(left.err)
    assert len(left.err) < LONGEST_ARGUMENT
    if len(word) > LONGEST_ARGUMENT:
        assert left.status == os.EX_USAGE
        assert f"no argument has more than {LONGEST_ARGUMENT}" in left.err


FAULT = """
from tests.rigs.hostile_place import HOSTILE
from vetlla.cli.kit import exits
def broken():
    raise ValueError(HOSTILE)
exits.run(broken)
"""


def test_a_traceback_does_not_control_the_terminal() -> None:
    """A traceback quotes the hostile text, and is harmless."""
    done = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, check=False, timeout=60)
    assert done.returncode == os.EX_SOFTWARE
    assert b"ValueError" in done.stderr
    assert harmless(done.stderr.decode())
