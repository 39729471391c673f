"""TOML files within bounds: settings, keys, parameters, mappings. A wrong file is refused before it fills the memory.

The readers tell in their own words what is wrong with a file. What they catch is the same: OSError and ValueError.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

from vetlla.domain.plainfile import open_file, open_input

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MAX_BYTES = 64 << 20
"""Bytes of a file: a keys file of a service that has a key for each of 250,000 homes has 40 MiB."""
MAX_DEPTH = 32
"""Tables and lists within each other; the deepest of ours has four."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DOTTED = re.compile(rf"""(?<![\w"'.-])(?:{_PART}){{{MAX_DEPTH}}}""")
"""A key of more parts than that: tomllib would walk through each of its beginnings, in quadratic time."""


def read(path: Path, *, at_most: int = MAX_BYTES) -> bytes:
    """Return what a plain file holds. Raises OSError where it is none, or has more than ``at_most`` bytes (EFBIG)."""
    with open_file(path) as file:
        return read_open(file, path, at_most=at_most)


def read_input(path: Path) -> bytes:
    """Return what a file holds that a person names for one command, as ``read`` does; a shell's pipe is read, too."""
    with open_input(path) as file:
        return read_open(file, path)


def read_open(file: BinaryIO, path: Path, *, at_most: int = MAX_BYTES) -> bytes:
    """Return what an open file holds, as ``read`` does."""
    content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def document(content: bytes, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return what a file says. Raises ValueError: TOMLDecodeError or UnicodeDecodeError."""
    text = content.decode("utf-8-sig")
    if _DOTTED.search(text):
        raise _too_deep()
    try:
        found = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise _too_deep() from None
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, ArithmeticError) as error:  # a number that Python refuses to read
        raise tomllib.TOMLDecodeError(str(error) or "a number of too many digits") from None
    if is_deep(found, MAX_DEPTH):
        raise _too_deep()
    return found


def is_deep(value: object, left: int) -> bool:
    """Return True if lists and objects stand within each other more often than ``left`` times."""
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(is_deep(one, left - 1) for one in inner)


def _too_deep() -> tomllib.TOMLDecodeError:
    return tomllib.TOMLDecodeError(f"more than {MAX_DEPTH} tables and lists within each other")
