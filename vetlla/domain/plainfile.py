"""Files that are read by name: whatever else may have the name must not hold the program up.

To open a named pipe waits until another program opens it to write, for ever if none does; a device may have no end. So
a file is opened without waiting, and is refused for what it turns out to be.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader

_SHELL_S = "pipe:"
"""Begins the name that Linux gives to a pipe that has none in any directory."""


def open_file(path: Path) -> BufferedReader:
    """Open a plain file, or the one that a link leads to; ``/dev/null`` is an empty one.

    Raises OSError, also for a pipe, another device or a directory.
    """
    file = _open_at_once(path)
    if not stat.S_ISREG(_mode(file)) and not os.path.samestat(os.fstat(file.fileno()), Path(os.devnull).stat()):
        file.close()
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    return file


def open_input(path: Path) -> BufferedReader:
    """Open what a person names to be read once. Raises OSError, also for a named pipe.

    The pipe that a shell made for the command (``/dev/stdin``, ``<(...)``) is read: it had its writer from the
    beginning. Of a named pipe this cannot be told; where a command takes standard input the shell can open it.
    """
    file = _open_at_once(path)
    if stat.S_ISFIFO(_mode(file)) and not str(Path(f"/proc/self/fd/{file.fileno()}").readlink()).startswith(_SHELL_S):
        file.close()
        raise OSError(errno.EINVAL, "is a named pipe, and its writer is not waited for", str(path))
    os.set_blocking(file.fileno(), True)
    return file


def _open_at_once(path: Path) -> BufferedReader:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return os.fdopen(descriptor, "rb")
    except IsADirectoryError:
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from None


def _mode(file: BufferedReader) -> int:
    return os.fstat(file.fileno()).st_mode
