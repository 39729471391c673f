"""Finds what would lose an alarm between Asterisk and the receiver, before a call does.

It reads alarmreceiver.conf as Asterisk does, and looks at the directory as the receiver's user.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vetlla.checks.config import risk
from vetlla.checks.machine import VOLATILE, file_system_of
from vetlla.domain import permissions
from vetlla.domain.findings import Finding, Level
from vetlla.domain.permissions import user_name
from vetlla.domain.plainfile import open_file
from vetlla.protocols.framing.charset import readable
from vetlla.receiver.listeners.spool.files import DONE, QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.receiver.control.messages.receiver import Status
    from vetlla.settings.spool import Spool

LARGEST: Final = 1 << 16
"""Bytes of alarmreceiver.conf that are read. The example with all its comments has 3,000."""
PATH_MAX: Final = 127
"""Bytes of ``eventspooldir`` that Asterisk keeps; it cuts a longer path off and logs nothing."""
TIMESTAMP: Final = "%Y-%m-%dT%H:%M:%S%z"
"""The format of the time that names its zone without doubt."""

_YES: Final = frozenset({"yes", "true", "y", "t", "1", "on"})
"""What Asterisk takes for a yes (``ast_true``)."""
_COMMENT: Final = re.compile(r"(?<!\\);.*")
_BLOCK_COMMENT: Final = re.compile(r";--(?!-).*?--;", re.DOTALL)
_SECTION: Final = re.compile(r"\[([^]]*)\].*")
_INCLUDES: Final = ("#include", "#tryinclude", "#exec")
_GENERAL: Final = "general"
_MAY_READ_ALL: Final = 1 << 2
"""CAP_DAC_READ_SEARCH among the capabilities of a process."""


def risks_of(spool: Spool) -> Iterator[Finding]:
    """Yield what would lose or hide an alarm of this spool. Blocks, because it reads files."""
    where = f"spool {spool.name}"
    yield from _of_directory(where, spool)
    if spool.config is None:
        remedy = "set config to the path of alarmreceiver.conf, so that its settings are checked"
        yield risk(where, "what Asterisk does with an event is not known", remedy)
        return
    try:
        with open_file(spool.config) as file:
            text = readable(file.read(LARGEST))
    except OSError as error:
        yield risk(where, f"{spool.config}: {error.strerror}", "let this user read it, or correct config")
        return
    yield from _of_asterisk(where, spool, text)


def directory(spool: Spool, status: Status | None) -> Finding:
    """Return whether the running receiver watches the directory or, without a receiver, whether this user could."""
    name = f"spool {spool.name}"
    if status is None:
        found = next(_of_directory(name, spool), None)
        return found or Finding(check=name, level=Level.OK, text=f"{spool.directory} can be used")
    places = [place for place in status["listening"] if place["name"] == spool.name and place["transport"] == "spool"]
    if any(place.get("connected") and place["host"] == str(spool.directory) for place in places):
        return Finding(check=name, level=Level.OK, text=f"{spool.directory}, the receiver watches it")
    remedy = "journalctl -u vetlla has the reason (spool.lost)" if places else "systemctl restart vetlla"
    text = f"the receiver does not watch {spool.directory}"
    return Finding(check=name, level=Level.CRITICAL, text=text, remedy=remedy)


def _of_asterisk(where: str, spool: Spool, text: str) -> Iterator[Finding]:
    for line in text.splitlines():
        if line.strip().startswith(_INCLUDES):
            yield risk(where, f"{spool.config} includes another file, which is not checked", "write its keys here")
    values = general_of(text)
    if values.get("logindividualevents", "no").lower() not in _YES:
        yield risk(
            where,
            "logindividualevents is not yes: a panel gets its kissoff before its alarm is in any file, and an end of "
            "Asterisk during the call loses it",
            f"logindividualevents = yes in {spool.config}, then: asterisk -rx 'module reload app_alarmreceiver'",
        )
    yield from _of_target(where, spool, values.get("eventspooldir", ""))
    if values.get("timestampformat", "") != TIMESTAMP:
        yield risk(
            where,
            "timestampformat does not name the time zone as an offset: the time of the file is shown instead",
            f"timestampformat = {TIMESTAMP} in {spool.config}",
        )
    if command := values.get("eventcmd"):
        yield risk(
            where,
            f"eventcmd runs {command.split()[0]} after each call: it gets no event on its standard input, and must not "
            f"move or delete files of {spool.directory}",
            "remove eventcmd; the receiver notices each file by itself",
        )


def _of_target(where: str, spool: Spool, target: str) -> Iterator[Finding]:
    """Yield what is wrong with the directory to which Asterisk writes."""
    if not target:
        yield risk(where, "eventspooldir is missing: Asterisk drops every event", f"eventspooldir = {spool.directory}")
        return
    if len(os.fsencode(target)) > PATH_MAX:
        yield risk(where, f"eventspooldir is longer than {PATH_MAX} bytes, where Asterisk cuts it off", "shorten it")
    if not _is_same(Path(target), spool.directory):
        yield risk(
            where,
            f"eventspooldir is {target}, and the receiver watches {spool.directory}: it gets no file",
            "name one directory in both",
        )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return os.path.normpath(one) == os.path.normpath(other)


def _of_directory(where: str, spool: Spool) -> Iterator[Finding]:
    directory = spool.directory
    try:
        status = directory.stat()
        os.scandir(directory).close()
    except OSError as error:
        remedy = permissions.remedy(directory) if error.errno == errno.EACCES else f"make {directory} for both users"
        yield risk(where, f"{directory}: {error.strerror}", remedy)
        return
    if (obstacle := permissions.obstacle(directory)) is not None:
        yield risk(where, f"{obstacle}: files that were taken stay there", permissions.remedy(directory))
    if status.st_uid != os.geteuid() and not _may_read_all():
        yield risk(
            where,
            f"Asterisk makes files that only its own user ({user_name(status.st_uid)}) can read",
            "give the receiver CAP_DAC_READ_SEARCH, as in docs/protocols/asterisk.md; a running unit may have it",
        )
    if file_system_of(directory) in VOLATILE:
        yield risk(
            where,
            f"{directory} is in memory: a power cut loses alarms for which panels have their kissoff",
            "use a directory on a disk",
        )
    for folder in (DONE, QUARANTINE):
        place = directory / folder
        if place.exists() and place.stat().st_dev != status.st_dev:
            yield risk(where, f"{place} is on another file system, so no file can be moved there", "unmount it")


def _may_read_all() -> bool:
    """Return True if this process may read the files of all users: it is root's, or has the capability."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) & _MAY_READ_ALL)


def general_of(text: str) -> Mapping[str, str]:
    """Return the keys of the section [general] as Asterisk reads them; of several with one name, the first."""
    values: dict[str, str] = {}
    section = ""
    for raw in _BLOCK_COMMENT.sub("", text).splitlines():
        line = _COMMENT.sub("", raw).replace("\\;", ";").strip()
        if found := _SECTION.fullmatch(line):
            section = found[1]
        elif section == _GENERAL and "=" in line:
            key, _, value = line.partition("=")
            values.setdefault(key.strip(), value.removeprefix(">").strip())
    return values
