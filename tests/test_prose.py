"""Plain English: what a reader has to read twice is in none of our texts."""

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
