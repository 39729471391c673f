"""Opens files by name, so that a pipe or device with that name cannot block the program.

Opening a named pipe can take for ever, because it waits until another program opens the pipe for writing. A device may
have no end. So each file is opened without waiting, and anything but a plain file is refused.
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
"""Start of the name that Linux gives to a pipe without a name in a directory."""


def open_file(path: Path) -> BufferedReader:
    """Open a plain file, also through a link; ``/dev/null`` counts as an empty file.

    Raises OSError, also for a pipe, another device or a directory.
    """
    file = _open_at_once(path)
    if not stat.S_ISREG(_mode(file)) and not os.path.samestat(os.fstat(file.fileno()), Path(os.devnull).stat()):
        file.close()
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    return file


def open_input(path: Path) -> BufferedReader:
    """Open a file that a user named, to be read once. Raises OSError, also for a named pipe.

    The pipe that a shell made for the command (``/dev/stdin``, ``<(...)``) is read, because it has a writer from the
    start. A named pipe may have no writer; if a command takes standard input, the shell can open the pipe instead.
    """
    file = _open_at_once(path)
    if stat.S_ISFIFO(_mode(file)) and not str(Path(f"/proc/self/fd/{file.fileno()}").readlink()).startswith(_SHELL_S):
        file.close()
        raise OSError(errno.EINVAL, "is a named pipe, which is not read because it may have no writer", str(path))
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
