"""The interface to systemd: the daemon sends its state and feeds the watchdog, systemd hands over listening sockets.

The protocol is a datagram, three environment variables and file descriptors from 3 on: sd_notify(3),
sd_watchdog_enabled(3), sd_listen_fds(3). Outside systemd every function here returns False, None or an empty list.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from vetlla.domain.errors import ConfigError

_FIRST_FD = 3
"""SD_LISTEN_FDS_START: the first descriptor after standard input, output and error."""

_PATIENCE_S = 0.1
"""Time to wait for a manager whose queue of datagrams is full for a moment (net.unix.max_dgram_qlen)."""

_UNIT_REMEDY = "start the receiver from its systemd unit, or unset the variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """A socket that systemd opened for the receiver. ``name`` is the socket unit's ``FileDescriptorName=``."""

    name: str
    socket: socket.socket
    """Bound (a stream socket also listens), non-blocking, closed on exec; the unit determines family and type."""


def notify(state: str) -> bool:
    """Send the service manager ``READY=1``, ``WATCHDOG=1`` or the like; newlines separate several assignments.

    Return True if the message was sent. This never raises and waits at most a tenth of a second, because a service
    manager that is gone or busy must not delay reports.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # the abstract namespace, as sd_notify(3) writes it
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(_PATIENCE_S)
        try:
            channel.connect(address)
            channel.send(state.encode())
        except OSError:
            return False
    return True


def watchdog_interval_s() -> float | None:
    """Return the time after which systemd kills a silent service, or None without a watchdog. Feed it at half of it.

    Raises ConfigError if the variables have values that systemd never sets.
    """
    if "WATCHDOG_USEC" not in os.environ:
        return None
    # Without WATCHDOG_PID the watchdog is meant for every process that reads it (sd_watchdog_enabled(3)).
    if _number("WATCHDOG_PID", default=os.getpid()) != os.getpid():
        return None
    interval_us = _number("WATCHDOG_USEC")
    if interval_us == 0:
        raise ConfigError("WATCHDOG_USEC=0: the watchdog needs a time above 0", remedy=_UNIT_REMEDY)
    return interval_us / 1_000_000


def inherited_sockets() -> list[Inherited]:
    """Return the sockets that systemd opened for this process, in the order of its socket units.

    They are handed over once: this call removes the variables from the environment, so that a second call or a child
    process cannot own the same descriptors again. Raises ConfigError when a descriptor is not a socket.
    """
    if "LISTEN_PID" not in os.environ or _number("LISTEN_PID") != os.getpid():
        return []
    count = _number("LISTEN_FDS", default=0)
    names = os.environ.get("LISTEN_FDNAMES", "")
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(variable, None)
    named = names.split(":") if names else ["unknown"] * count  # sd_listen_fds_with_names(3) uses this for no name
    if len(named) != count:
        raise ConfigError(f"LISTEN_FDS={count} but LISTEN_FDNAMES={names}", remedy=_UNIT_REMEDY)
    return [Inherited(name=name, socket=_adopt(fd, name)) for fd, name in enumerate(named, start=_FIRST_FD)]


def _adopt(fd: int, name: str) -> socket.socket:
    try:
        os.set_inheritable(fd, False)  # noqa: FBT003 - takes no keyword
        adopted = socket.socket(fileno=fd)
    except OSError as error:
        raise ConfigError(
            f"descriptor {fd} ({name}) from systemd is not a socket: {error.strerror}",
            remedy="use only ListenStream= and ListenDatagram= in the socket unit",
        ) from error
    adopted.settimeout(0)
    return adopted


def _number(variable: str, *, default: int | None = None) -> int:
    text = os.environ.get(variable)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{variable}={text}: not a number", remedy=_UNIT_REMEDY)
    return int(text)
