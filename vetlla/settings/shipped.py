"""Files that come with the program, and where they lie."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

_IN_TREE: Final = Path(__file__).parents[2] / "config" / "parameters.toml"


def parameters_file() -> Path:
    """Return the contract's parameters that were installed with the program."""
    # A wheel carries it beside the rules that read it; a source tree, from which editable installs run, has only its
    # own copy under config/.
    packaged = Path(str(files("vetlla.service"))) / "parameters.toml"
    return packaged if packaged.exists() else _IN_TREE
