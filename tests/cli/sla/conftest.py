"""A file of parameters with one value changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path


class Changed(Protocol):
    """Writes a file of parameters."""

    def __call__(self, entry: str, value: object) -> Path:
        """Return the shipped file in which every value of a parameter is another one."""
        ...


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Return what writes the shipped parameters with one of them changed."""

    def write(entry: str, value: object) -> Path:
        lines = parameters_file().read_text(encoding="utf-8").splitlines()
        places = [place for place, line in enumerate(lines) if line == f'name = "{entry}"']
        assert places
        for place in places:
            lines[place + 1] = f"value = {value}" if isinstance(value, int) else f'value = "{value}"'
        out = tmp_path / f"{entry}.toml"
        out.write_text("\n".join(lines), encoding="utf-8")
        return out

    return write
