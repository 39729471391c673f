"""A file of devices that is imported again after movements by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = "code,district,base,level,alone,active\nH1,01,NORD,1,yes,2024-01-01/\nH2,02,SUD,2,no,2024-01-01/\n"
HEADING = "type,serial,ownership,place,home,first_installed,since\n"
AT_HOME = HEADING + "terminal_gsm,T1,offered,home,H1,2024-04-01,{since}\n"
SPARE = "terminal_ip,T2,municipal,warehouse,,,\n"


@pytest.fixture
def stocked(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry with two homes, a terminal in one of them and one in the warehouse."""
    (tmp_path / "homes.csv").write_text(HOMES, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    assert take(vetlla, tmp_path, AT_HOME.format(since="") + SPARE)["new"] == 2
    return vetlla


def take(vetlla: Vetlla, folder: Path, rows: str, *options: str) -> dict[str, Any]:
    """Import devices; return what the import says."""
    (folder / "devices.csv").write_text(rows, encoding="utf-8")
    done = vetlla("inventory", "import", folder / "devices.csv", "--json", *(options or ("--day", "2026-10-01")))
    assert done.status == 0, (done.error, done.talk)
    return done.json[-1]


def history(vetlla: Vetlla, device: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["home"]) for one in vetlla("inventory", "history", device, "--json").json]


def test_an_old_file_moves_no_device_back_that_was_moved_by_hand(stocked: Vetlla, tmp_path: Path) -> None:
    """A terminal that was replaced stays retired, and its successor stays in the home with its cost date."""
    assert stocked("inventory", "replace", "T1", "T2", "--day", "2026-10-05").status == 0
    shown = [stocked("inventory", "show", device, "--json").json for device in ("T1", "T2")]
    for _ in range(2):
        told = take(stocked, tmp_path, AT_HOME.format(since="") + SPARE, "--day", "2026-10-10")
        assert (told["unchanged"], told["changed"], told["kept"]) == (2, 0, 2)
    assert [stocked("inventory", "show", device, "--json").json for device in ("T1", "T2")] == shown
    warned = stocked("inventory", "import", tmp_path / "devices.csv", "--dry-run").talk
    assert "row 2: column home: 'H1' was imported before and then changed by hand, which stays" in warned
    assert "row 3: column place: 'warehouse' was imported before" in warned

    assert take(stocked, tmp_path, AT_HOME.format(since="") + SPARE, "--overrule", "--day", "2026-10-10")["kept"] == 0
    assert history(stocked, "T1")[-1] == ("installed", "H1")


def test_an_owner_that_was_corrected_by_hand_stays(stocked: Vetlla, tmp_path: Path) -> None:
    """The warning names the column."""
    assert stocked("inventory", "transfer", "T1", "municipal", "--day", "2026-10-05").status == 0
    assert take(stocked, tmp_path, AT_HOME.format(since=""), "--day", "2026-10-10")["kept"] == 1
    told = stocked("inventory", "import", tmp_path / "devices.csv").talk
    assert "column ownership: 'offered' was imported before" in told
    assert stocked("inventory", "show", "T1", "--json").json[0]["ownership"] == "municipal"


def test_a_file_with_news_moves_a_device(stocked: Vetlla, tmp_path: Path) -> None:
    """News is another place than imports said, or a later day of the move: the device came back."""
    assert stocked("inventory", "remove", "T1", "--day", "2026-10-05").status == 0
    assert take(stocked, tmp_path, AT_HOME.format(since="2026-10-05"), "--day", "2026-10-10")["kept"] == 1
    assert take(stocked, tmp_path, AT_HOME.format(since="2026-10-08"), "--day", "2026-10-10")["changed"] == 1
    assert history(stocked, "T1") == [("installed", "H1"), ("removed", ""), ("installed", "H1")]
    assert stocked("inventory", "remove", "T1", "--day", "2026-10-12").status == 0
    other = AT_HOME.format(since="").replace("H1", "H2")
    for changed in (1, 0):
        assert take(stocked, tmp_path, other, "--day", "2026-10-14")["changed"] == changed
    assert history(stocked, "T1")[-1] == ("installed", "H2")
