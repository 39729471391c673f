"""The two lock files: production gets the tested packages, without developers' tools."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PRODUCTION, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


def pins(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return the version and the checksums of each package."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8").strip())
    found = {}
    for entry in entries:
        package = re.match(r"([a-z0-9._-]+)(?:\[[a-z,-]+\])?==([^\s;]+)", entry)
        assert package is not None, entry.splitlines()[0]
        found[package[1]] = (package[2], frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry)))
    return found


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0].lower().replace("_", "-") for one in requirements}


@pytest.mark.parametrize("name", [PRODUCTION, DEVELOPMENT])
def test_a_lock_names_versions_and_checksums_and_no_index(name: str) -> None:
    """A lock names no package index, because the installer chooses it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|index|find-links", text)
    assert all(checksums for _, checksums in pins(name).values())


def test_production_is_what_was_tested() -> None:
    """Each production package has the version and the checksums that the tests used."""
    tested = pins(DEVELOPMENT)
    assert {package: tested.get(package) for package in pins(PRODUCTION)} == pins(PRODUCTION)


def test_production_has_what_the_program_needs_and_no_tool() -> None:
    """Production has all dependencies and no extras."""
    installed = set(pins(PRODUCTION))
    assert named(PROJECT["dependencies"]) <= installed
    extras = named([one for extra in PROJECT["optional-dependencies"].values() for one in extra])
    assert extras <= set(pins(DEVELOPMENT))
    assert not extras & installed
