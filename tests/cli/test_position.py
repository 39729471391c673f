"""``vetlla position show`` shows where a terminal was last, for people, maps and machines."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.rigs.journals import journal, report
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import AccountId, Event, Flag, Kind, Phase, Position

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

IMEI = "001017000000019"
WATCH = AccountId("", "", IMEI)
PLACE: dict[str, Any] = {"latitude": -1.5, "longitude": 1.25, "source": "gps"}
SOS = Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "bit12", "eview")


def said(state_dir: Path, place: dict[str, Any], *, ago_s: float = 90.0, home: str = "H-0001", **more: Any) -> None:  # noqa: ANN401
    """Write a report of a position that is this old and was received ten seconds after its time."""
    there = datetime.now(UTC) - timedelta(seconds=ago_s)
    clock = ManualClock(there + timedelta(seconds=10))
    values: dict[str, Any] = {"id": WATCH, "protocol": "eview", "event": SOS, **more}
    if place:
        values["position"] = Position(**{"at": there, **place})
    with journal(state_dir, clock) as scribe:
        scribe.commit(report(1, **values), home=home, flags=Flag.BUFFERED if values.get("buffered") else 0)


def test_a_person_reads_where_it_was_and_when(vetlla: Vetlla, state_dir: Path) -> None:
    """The answer has place, source, accuracy, device time, receipt, age, signal, and a link to a map with a marker."""
    said(state_dir, PLACE | {"accuracy_m": 12.0, "altitude_m": 40.0})
    done = vetlla("position", "show", IMEI)
    assert done.status == 0
    lines = dict(line.split(None, 1) for line in done.out.replace("there at", "there-at").splitlines())
    assert lines["account"] == f"{IMEI}, home H-0001"
    assert lines["position"] == "-1.500000, 1.250000"
    assert (lines["source"], lines["accuracy"], lines["altitude"]) == ("satellites", "12 m", "40 m")
    assert lines["there-at"].endswith("(the device's clock)")
    assert lines["age"].startswith("1 min 3")
    assert "signal 1: personal_emergency (eview)" in done.out
    link = urlsplit(done.out.split()[-1])
    assert link.hostname == "www.openstreetmap.org"
    assert parse_qs(link.query) == {"mlat": ["-1.500000"], "mlon": ["1.250000"]}
    assert link.fragment == "map=17/-1.500000/1.250000"


def test_a_map_takes_it_as_geojson(vetlla: Vetlla, state_dir: Path) -> None:
    """A Feature has a point with longitude, latitude and altitude in this order; the rest are its properties."""
    said(state_dir, PLACE | {"altitude_m": 40.0})
    (feature,) = vetlla("position", "show", IMEI, "--geojson").json
    assert (feature["type"], feature["id"]) == ("Feature", 1)
    assert feature["geometry"] == {"type": "Point", "coordinates": [1.25, -1.5, 40.0]}
    assert feature["properties"]["account"] == IMEI
    assert not {"latitude", "longitude", "altitude_m"} & feature["properties"].keys()


def test_a_machine_takes_it_as_json(vetlla: Vetlla, state_dir: Path) -> None:
    """Every field is there, and is null if it is unknown."""
    said(state_dir, PLACE | {"at": None, "source": "lbs"}, ago_s=3600, buffered=True)
    (fields,) = vetlla("position", "show", IMEI.lower(), "--json").json
    assert list(fields) == [
        "account", "receiver", "line", "home", "latitude", "longitude", "altitude_m", "accuracy_m", "source", "at",
        "received", "age_s", "protocol", "kind", "buffered", "signal", "map",
    ]  # fmt: skip
    assert (fields["at"], fields["accuracy_m"], fields["source"]) == (None, None, "lbs")
    assert fields["buffered"] is True
    assert 3585 < fields["age_s"] < 3700, "without a time of its own its age counts from receipt"


def test_missing_values_are_not_made_up(vetlla: Vetlla, state_dir: Path) -> None:
    """The answer says that source, accuracy and time are missing, and what a peer sent does not move the cursor."""
    odd = {"at": None, "source": "\x1b[2Jsatellite"}
    said(state_dir, PLACE | odd, ago_s=2 * 86_400 + 3600)
    out = vetlla("position", "show", IMEI).out
    assert "\x1b" not in out
    assert "accuracy" not in out
    assert "there at" not in out
    assert "2 d 0 h since it was received" in out


def test_the_last_known_place_is_not_the_last_received(vetlla: Vetlla, state_dir: Path) -> None:
    """An older position that the device kept back and sent later does not replace the newer one."""
    said(state_dir, PLACE, ago_s=100)
    said(state_dir, {**PLACE, "latitude": 5.0, "at": datetime.now(UTC) - timedelta(hours=5)}, ago_s=20)
    (fields,) = vetlla("position", "show", IMEI, "--json").json
    assert fields["latitude"] == -1.5


def test_no_position_is_distinguished_from_no_account(vetlla: Vetlla, state_dir: Path) -> None:
    """A terminal without a position and one that was never heard both give status 64, each with its own message."""
    said(state_dir, {})
    silent, unknown = vetlla("position", "show", IMEI), vetlla("position", "show", "4C01")
    assert (silent.status, unknown.status) == (os.EX_USAGE, os.EX_USAGE)
    assert "none of its 1 signals has one" in silent.error
    assert "nothing was heard of account 4C01" in unknown.error
    assert silent.out == unknown.out == ""


def test_two_formats_exclude_each_other(vetlla: Vetlla, state_dir: Path) -> None:
    """--geojson and --json exclude each other."""
    said(state_dir, PLACE)
    done = vetlla("position", "show", IMEI, "--geojson", "--json")
    assert done.status == os.EX_USAGE
    assert "choose one" in done.error


def test_without_a_journal_the_error_asks_for_the_state_directory(vetlla: Vetlla) -> None:
    """The status is 74, with the usual remedy."""
    assert vetlla("position", "show", IMEI).status == os.EX_IOERR


@pytest.mark.usefixtures("state_dir")
def test_help_warns_that_the_link_reveals_the_place(vetlla: Vetlla) -> None:
    """The help says that opening the link tells a map's operator where a person is."""
    assert "openstreetmap.org" in " ".join(vetlla("position", "show", "--help").out.split())
