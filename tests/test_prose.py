"""Plain English: no text of ours has a word that makes a reader read the sentence twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = (
    "whoever", "whomever", "whom", "nobody", "somebody", "anew", "befalls?", "befell", "befallen",
    r"no more(?! than)", "earlier (?:life|lives)", r"so many(?! that)", "at the most", "as it stands", "hear that",
    "say whether", "by the while", "ha[sd] (?:had )?its word",
)  # fmt: skip
"""Words of a dialect that people who learned English at school do not know, or take for something else."""
WORD = re.compile(rf"\b(?:{'|'.join(BANNED)})\b", re.IGNORECASE)
USER = re.compile(r"""(["'`]) ?nobody ?\1|\b(?:user|adm|held by|have) nobody\b|\bnobody may not\b""")
"""The user of that name, who owns nothing."""


FOLDERS = ("vetlla", "tests", "docs", "config", "bench", "scripts")
ENDINGS = frozenset({".py", ".md", ".toml", ".sql", ".yaml", ".json", ".service", ".socket", ".timer", ".conf", ".sh"})


def texts() -> list[str]:
    """Return the files that people read: code, tests, handbook, configuration."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in ENDINGS]
    names = sorted(str(file.relative_to(ROOT)) for file in (*files, *ROOT.glob("*.md")))
    return [name for name in names if name != "tests/test_prose.py"]


@pytest.mark.parametrize("name", texts())
def test_a_text_is_plain(name: str) -> None:
    """No line of a file has one of the words."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [
        f"{name}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if WORD.search(USER.sub("", line))
    ]
    assert not found


def test_names_of_tests_are_plain() -> None:
    """The name of a test is a sentence, so it has none of the words either."""
    files = {file: file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")}
    names = {name: file for file, text in files.items() for name in re.findall(r"def (test_\w+)", text)}
    assert not [f"{file}: {name}" for name, file in names.items() if WORD.search(name.replace("_", " "))]
