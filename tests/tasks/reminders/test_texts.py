"""Finding and reading the texts that were installed with the program."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from vetlla.tasks.reminders.texts import load_offices, load_texts

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "config" / "reminders"


def test_the_tree_has_the_texts_in_config() -> None:
    assert load_texts().texts == load_texts(SHIPPED / "texts").texts
    assert load_offices() == load_offices(SHIPPED / "offices.toml")


def test_an_installed_wheel_brings_its_texts(tmp_path: Path) -> None:
    """The wheel contains each file twice: beside the rules that read it, and for the office to copy."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        for file in ("texts/ca.toml", "texts/es.toml", "offices.toml"):
            names = [name for name in wheel.namelist() if name.endswith(f"/{file}")]
            assert len(names) == 2
            assert {wheel.read(name) for name in names} == {(SHIPPED / file).read_bytes()}
            assert f"vetlla/service/reminders/texts/shipped/{file}" in names
