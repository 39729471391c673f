"""``check-config`` names what in alarmreceiver.conf, or in the directory, would lose an alarm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.rigs.daemon import running
from tests.rigs.permissions import reachable_directory, unprivileged
from vetlla.checks import spools
from vetlla.domain.findings import Level
from vetlla.settings.spool import Spool

if TYPE_CHECKING:
    from vetlla.receiver.control.messages.receiver import Status

SHIPPED = Path(__file__).parents[2] / "config" / "asterisk" / "alarmreceiver.conf"
GOOD = "[general]\nlogindividualevents = yes\neventspooldir = {directory}\ntimestampformat = %Y-%m-%dT%H:%M:%S%z\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


def found(directory: Path, text: str | None) -> str:
    """Return what is said about a directory with this alarmreceiver.conf."""
    config = directory.parent / "alarmreceiver.conf"
    if text is not None:
        config.write_text(text.replace("{directory}", str(directory)), encoding="utf-8")
    findings = list(spools.risks_of(Spool(name="pbx", directory=directory, config=config)))
    assert all(one.level is Level.WARNING and one.check == "spool pbx" and one.remedy for one in findings)
    return "\n".join(one.text for one in findings)


def test_the_documented_configuration_has_no_risk(directory: Path) -> None:
    """The file that Vetlla ships loses no alarm."""
    assert found(directory, GOOD) == ""
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert found(directory, shipped.replace("/var/spool/vetlla/alarms", str(directory))) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "logindividualevents is not yes"),
        ("[other]\nlogindividualevents=yes\n", "logindividualevents is not yes"),
        (GOOD.replace("= yes", "= no"), "gets its kissoff before its alarm is in any file"),
        (GOOD.replace("= yes", "= maybe"), "logindividualevents is not yes"),
        (GOOD.replace("= yes", "= no\nlogindividualevents = yes"), "logindividualevents is not yes"),
        (GOOD.replace("eventspooldir", ";eventspooldir"), "eventspooldir is missing: Asterisk drops every event"),
        (GOOD.replace("{directory}", "/tmp"), "eventspooldir is /tmp"),
        (GOOD.replace("{directory}", "/" + "a" * 127), "longer than 127 bytes"),
        (GOOD.replace("%z", "%Z"), "does not name the time zone"),
        (GOOD.replace("timestampformat", ";"), "does not name the time zone"),
        (GOOD + "eventcmd = /usr/local/bin/alarm -x\n", "eventcmd runs /usr/local/bin/alarm after each call"),
        (GOOD + "#include more.conf\n", "includes another file"),
    ],
)
def test_what_would_lose_an_alarm_is_named(directory: Path, text: str, said: str) -> None:
    assert said in found(directory, text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(" = ", "=>"),
        GOOD.replace("= yes", "= TRUE ; as the manual says"),
        GOOD.replace("[general]", ";-- a block\nlogindividualevents=no --;\n[general](!)"),
        GOOD + "no_group_meta = yes\n",
        "[general]\n" + GOOD,
    ],
)
def test_forms_that_asterisk_takes_are_taken(directory: Path, text: str) -> None:
    """Comments, arrows, templates and the other words for yes are read as Asterisk reads them."""
    assert found(directory, text) == ""


def test_a_directory_by_another_name_is_the_same(directory: Path) -> None:
    """A link to the directory leads Asterisk to the same place."""
    link = directory.parent / "link"
    link.symlink_to(directory)
    assert found(directory, GOOD.replace("{directory}", str(link))) == ""


def test_what_is_missing_is_named(directory: Path) -> None:
    """Neither a missing file nor a missing directory stops the check."""
    assert "alarmreceiver.conf: No such file" in found(directory, None)
    directory.rmdir()
    assert "No such file" in found(directory, GOOD)
    assert "not known" in "".join(one.text for one in spools.risks_of(Spool(directory=directory)))


def test_a_directory_that_is_closed_to_the_receiver() -> None:
    """A user who may not enter, or not write, is told so; and that Asterisk's files are for its own user alone."""
    with reachable_directory() as place:
        directory = Path(place) / "spool"
        directory.mkdir(mode=0o700)
        with unprivileged():
            closed = [one.text for one in spools.risks_of(Spool(directory=directory))]
        directory.chmod(0o755)
        with unprivileged():
            readable = [one.text for one in spools.risks_of(Spool(directory=directory))]
    assert any("Permission denied" in text for text in closed)
    assert any("files that were taken stay there" in text for text in readable)
    assert any("only its own user (root) can read" in text for text in readable)


def test_doctor_asks_the_running_receiver(tmp_path: Path) -> None:
    """It tells a directory that the receiver watches from one that it does not, and from one that it does not know."""
    directory = tmp_path / "spool"
    directory.mkdir()
    config = f'[[spool]]\nname = "pbx"\ndirectory = "{directory}"\n'
    spool = Spool(name="pbx", directory=directory)
    assert spools.directory(spool, None).level is Level.OK
    with running(tmp_path / "receiver", config=config) as daemon:
        status = daemon.await_status(lambda status: all(one.get("connected", True) for one in status["listening"]))
        assert spools.directory(spool, cast("Status", status)).level is Level.OK
        other = Spool(name="other", directory=directory)
        assert spools.directory(other, cast("Status", status)).level is Level.CRITICAL
        directory.rename(tmp_path / "elsewhere")
        status = daemon.await_status(lambda status: not all(one.get("connected", True) for one in status["listening"]))
        assert "spool.lost" in spools.directory(spool, cast("Status", status)).remedy
    assert "No such file" in spools.directory(spool, None).text
