"""The daemon's log: events with keys, as JSON lines or for a person, on standard error.

Every line is one event of structlog, also if it comes from a library through ``logging``. This module keeps two rules
so that no part of the program can forget them. A secret is never written at any level. Data that identify a caller
(account, home, terminal behind a broker, raw bytes, position) are written in full only at debug level.

JSON lines always have their time, because people read them on other machines and later. Lines for a person under
systemd's journal have none, because the journal stamps them itself. Under the journal each line begins with its
severity (sd-daemon(3)), so that ``journalctl -p warning`` finds the right lines.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import structlog

from vetlla.daemon.logs.writer import LogWriter
from vetlla.domain.printable import printable
from vetlla.domain.signals import AccountId
from vetlla.settings.log import LogFormat, LogLevel

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

SECRET = frozenset({"key", "secret", "token", "password", "passphrase", "psk", "pin", "authorization"})
"""Fields whose value is never written, also if the word is the last one of a longer name (``api_token``)."""

CALLER = frozenset({"account", "home"})
"""Fields that name the caller. Their end is enough to match two lines, but not enough to find a person."""

PEER = "peer"
"""Field with the origin of bytes: an address, or the terminal behind a broker (``north/T-000042``)."""

WITHHELD = frozenset({"raw", "frame", "text", "position", "phone"})
"""Fields that may contain a person's data; above debug level only their size is written."""

KEPT_CHARACTERS = 2

_STDERR = 2

_SEVERITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog's numbers, which sd-daemon(3) demands at the beginning of a line."""


def configure(*, style: LogFormat = LogFormat.AUTO, level: LogLevel = LogLevel.INFO, fd: int = _STDERR) -> LogWriter:
    """Send structlog and ``logging`` to the descriptor; return the writer, which must be closed at the very end.

    Call it once per process, because a logger keeps its first settings.
    """
    console = style is LogFormat.CONSOLE or (style is LogFormat.AUTO and os.isatty(fd))
    writer = LogWriter(fd)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=_processors(writer, console=console, journal=_is_journal(fd), colours=os.isatty(fd)),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Libraries()], level=number, force=True)
    logging.captureWarnings(capture=True)
    return writer


def redact(_: object, method: str, event: EventDict) -> EventDict:
    """Remove secrets, and above debug level also data that identify the caller."""
    # list(), because the loop replaces values.
    for name, value in list(event.items()):
        if name in SECRET or name.rpartition("_")[2] in SECRET:
            event[name] = "[redacted]"
        elif method == "debug":
            continue
        elif name in CALLER or isinstance(value, AccountId):
            event[name] = shortened(value)
        elif name == PEER and "/" in value:
            broker, _, terminal = value.rpartition("/")
            event[name] = f"{broker}/{shortened(terminal)}"
        elif name in WITHHELD:
            event[name] = f"[{len(value)}]" if isinstance(value, str | bytes) else "[withheld]"
    return event


def withhold_messages(_: object, __: str, event: EventDict) -> EventDict:
    """Leave out the message of an exception that a peer's bytes caused, because it may quote them.

    The file and line numbers are enough.
    """
    error = sys.exc_info()[1]
    if PEER in event and event.get("exc_info") is True and error is not None:
        del event["exc_info"]
        event["exception"] = "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__
    return event


def escape_controls(_: object, __: str, event: EventDict) -> EventDict:
    """Return the event with control characters made visible for a terminal; a traceback keeps its lines."""
    return {
        name: printable(value) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }


def shortened(caller: object) -> str:
    """Return the end of an account or home, such as ``..56``; one that is not longer than its end is left out."""
    text = caller.account if isinstance(caller, AccountId) else str(caller)
    return ".." + text[-KEPT_CHARACTERS:] if len(text) > KEPT_CHARACTERS else ".."


def _processors(writer: LogWriter, *, console: bool, journal: bool, colours: bool) -> list[Processor]:
    def gap(_: object, __: str, event: EventDict) -> EventDict:
        if missing := writer.missing():
            event["lines_missing"] = missing
        return event

    chain: list[Processor] = [
        structlog.processors.add_log_level,
        redact,
        withhold_messages,
        gap,
    ]
    if not (console and journal):
        chain.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    if console:
        chain.append(escape_controls)
        # Not rich's traceback, because it prints local variables and so could print keys.
        chain.append(
            structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback),
        )
    else:
        chain += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=_plain)]
    if journal:
        chain.append(_severity)
    return chain


def _severity(_: object, method: str, line: Any) -> str:  # noqa: ANN401 - structlog's type of a rendered line
    # Mark every line of a traceback, because the journal would give its second line another severity.
    mark = f"<{_SEVERITY[method]}>"
    return mark + str(line).replace("\n", f"\n{mark}")


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _is_journal(fd: int) -> bool:
    """Return True if systemd connected the descriptor to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(fd)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Libraries(logging.Handler):
    """Passes messages of libraries from ``logging`` to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's message as an event; a level between the five known ones counts as the one below."""
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        context: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            context["exc_info"] = record.exc_info
        structlog.get_logger().log(level, record.getMessage(), **context)
