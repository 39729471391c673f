"""Checks whether the running receiver is ready, has the installed version, and uses the configuration on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from vetlla import __version__
from vetlla.domain.errors import AccessError, LinkError, UsageError, VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.receiver.control.messages.receiver import ShowOutlook, ShowStatus
from vetlla.receiver.startup import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vetlla.protocols.decoder import AnyDescription
    from vetlla.receiver.control.messages.base import Request
    from vetlla.receiver.control.messages.receiver import Outlook, ProcessFacts, Status
    from vetlla.settings.model import Settings

_A = TypeVar("_A")


class Ask(Protocol):
    """Sends a request to the running receiver. Raises VetllaError if no receiver answers."""

    def __call__(self, request: Request[_A], /) -> _A:
        """Return the answer."""
        ...


def ask_status(ask: Ask) -> tuple[Status | None, Finding]:
    """Return the receiver's status (None if it did not answer) and the finding about it."""
    try:
        status = ask(ShowStatus())
    except LinkError as error:
        hangs = isinstance(error.__cause__, TimeoutError)
        level = Level.CRITICAL if hangs else Level.WARNING
        return None, Finding(check="receiver", level=level, text=error.args[0], remedy=error.remedy)
    except VetllaError as error:
        return None, of_error("receiver", error)
    if not status["ready"]:
        return status, Finding(
            check="receiver",
            level=Level.CRITICAL,
            text=f"runs, but acknowledges nothing new: {status['why']}",
            remedy="journalctl -u vetlla -p warning; the other findings may show the cause",
        )
    version, process = status["version"], process_of(status)
    who = f", process {process['pid']} of user {process['user']}" if process else ""
    if version != __version__:
        return status, Finding(
            check="receiver",
            level=Level.WARNING,
            text=f"ready{who}, but it runs version {version} while {__version__} is installed",
            remedy="systemctl restart vetlla",
        )
    return status, Finding(check="receiver", level=Level.OK, text=f"version {version}, ready{who}")


def process_of(status: Status | None) -> ProcessFacts | None:
    """Return the facts about the receiver's process; None without a status, or from a receiver that sends none."""
    return status.get("process") if status else None


def is_unasked(status: Status | None, found: Finding) -> bool:
    """Return True if a receiver may run without giving its status: this user may not ask it, or it hangs."""
    return status is None and found.level is not Level.WARNING


def configuration(
    ask: Ask, status: Status | None, settings: Settings, path: Path | None, protocols: Mapping[str, AnyDescription]
) -> Iterator[Finding]:
    """Check the configuration by asking the running receiver; without a receiver, check it as a start does."""
    if status is None:
        faults = prepare(settings, protocols).faults
        for fault in faults:
            yield of_error("configuration", fault)
        if not faults:
            yield Finding(check="configuration", level=Level.OK, text=f"{path or 'none'}: a start accepts it")
        return
    process = process_of(status)
    theirs = process["config"] if process else None
    if theirs is not None and path is not None and theirs != str(path.absolute()):
        yield Finding(
            check="configuration",
            level=Level.WARNING,
            text=f"the receiver runs with {theirs or 'no file'}, but this command with {path}",
            remedy=f"vetlla doctor --config {theirs}" if theirs else "give this command the receiver's --state-dir",
        )
    yield _outlook(ask, status)


def _outlook(ask: Ask, status: Status) -> Finding:
    try:
        found = ask(ShowOutlook())
    except UsageError:  # an older receiver, not restarted since an upgrade, does not know this question
        text = f"version {status['version']} of the receiver cannot answer this"
        return Finding(
            check="configuration", level=Level.UNKNOWN, text=text, remedy="systemctl restart vetlla, then retry"
        )
    except (LinkError, AccessError) as error:
        return Finding(check="configuration", level=Level.UNKNOWN, text=error.args[0], remedy=error.remedy)
    return _told(found, status["reload"]["refused"])


def _told(outlook: Outlook, refused: str) -> Finding:
    if outlook["refused"]:
        level, remedy = Level.CRITICAL, outlook["remedy"]
        text = f"the next start would be refused, and so is a reload: {outlook['refused']}"
    elif outlook["unread"]:
        level, remedy = Level.WARNING, "systemctl reload vetlla"
        text = f"changed on the disk, but not read yet: {', '.join(outlook['unread'])}"
    elif outlook["waiting"]:
        level, remedy = Level.WARNING, "systemctl restart vetlla"
        text = f"changed on the disk, takes effect after a restart: {', '.join(outlook['waiting'])}"
    elif refused:
        level, remedy = Level.WARNING, "systemctl reload vetlla"
        text = f"the last reload was refused: {refused}"
    else:
        level, remedy, text = Level.OK, "", "the receiver uses the configuration on the disk"
    return Finding(check="configuration", level=level, text=text, remedy=remedy)
