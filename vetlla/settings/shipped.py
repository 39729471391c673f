"""Finds the files that come with the program."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

_IN_TREE: Final = Path(__file__).parents[2] / "config" / "parameters.toml"


def parameters_file() -> Path:
    """Return the path of the contract parameters that were installed with the program."""
    # A wheel contains the file beside the rules that read it. A source tree (and so an editable install) has only the
    # copy in config/.
    packaged = Path(str(files("vetlla.service"))) / "parameters.toml"
    return packaged if packaged.exists() else _IN_TREE
