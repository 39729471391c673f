"""``vetlla inventory`` imports and exports files, and records movements."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ON, imported
from tests.rigs.registered_people import put
from vetlla.domain.clock import ManualClock
from vetlla.store.homes import queries as homes
from vetlla.store.registry.registry import stamp
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

CLOCK = ManualClock()


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize("what", ["homes", "people", "devices"])
def test_importing_an_export_changes_nothing(
    vetlla: Vetlla, park: Path, tmp_path: Path, what: str, ending: str
) -> None:
    """Every kind goes through every format unchanged, and importing a file again is no change."""
    imported(vetlla, park)
    file = tmp_path / f"out.{ending}"
    assert vetlla("inventory", "export", file, "--what", what).status == 0
    (answer,) = vetlla("inventory", "import", file, "--what", what, *ON, "--json").json
    with (park / f"{what}.csv").open(encoding="utf-8") as lines:
        rows = sum(1 for _ in lines) - 1
    assert (answer["new"], answer["changed"], answer["unchanged"]) == (0, 0, rows)


def test_every_bad_cell_is_named_and_nothing_is_taken(vetlla: Vetlla, tmp_path: Path, stocked: Vetlla) -> None:
    """Each fault has row, column, value and reason; the good row is not imported either, except with --partial."""
    file = tmp_path / "bad.csv"
    file.write_text(
        "type,serial,ownership,place,home,imei,first_installed\n"
        "toaster,X1,leased,warehouse,,,\n"
        "smoke,X2,leased,home,H9,,2024-02-01\n"
        "smoke,X3,leased,home,H1,,31/02/2024\n"
        "terminal_ip,X4,leased,warehouse,,490154203237519,\n"
        "smoke,X5,leased,warehouse,,,\n"
        "smoke,X5,leased,warehouse,,,\n",
        encoding="utf-8",
    )
    done = vetlla("inventory", "import", file)
    assert done.status == os.EX_USAGE
    assert "5 faults, nothing imported" in done.error
    faults = [(one["row"], one["column"], one["value"]) for one in vetlla("inventory", "import", file, "--json").json]
    assert faults == [
        (2, "type", "toaster"),
        (3, "home", "H9"),
        (4, "first_installed", "31/02/2024"),
        (5, "imei", "490154203237519"),
        (7, "serial", "X5"),
    ]
    assert "row 7: column serial: 'X5' the same smoke is in row 6 already" in done.talk
    assert vetlla("inventory", "find", "X5").status == 1
    done = vetlla("inventory", "import", file, "--partial")
    assert done.status == os.EX_DATAERR
    assert "1 new, 0 changed, 0 unchanged, 5 faults" in done.out
    assert vetlla("inventory", "find", "X5").status == 0


def test_a_mapping_file_translates_headings_words_and_constants(stocked: Vetlla, tmp_path: Path) -> None:
    """The contractor's own file is imported as it is; the error names an unknown heading."""
    file = tmp_path / "oficina.csv"
    file.write_text(
        "Tipus;Núm. sèrie;Domicili;Instal·lat;Notes\nDetector foc/fum;77;H2;01/03/2024;x\n", encoding="utf-8"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'ignore = ["Notes"]\n[columns]\ntype = "Tipus"\nserial = "Núm. sèrie"\nhome = "Domicili"\n'
        'first_installed = "Instal·lat"\n[values.type]\n"Detector foc/fum" = "smoke"\n'
        '[constants]\nownership = "leased"\nplace = "home"\n',
        encoding="utf-8",
    )
    assert "unknown heading: " in stocked("inventory", "import", file).talk
    assert stocked("inventory", "import", file, "--mapping", mapping).status == 0
    (row,) = stocked("inventory", "list", "--home", "H2", "--json").json
    assert (row["type"], row["serial"], row["first_installed"]) == ("smoke", "77", "2024-03-01")


def test_the_history_of_a_device_goes_from_warehouse_to_retirement(stocked: Vetlla) -> None:
    """Each command adds one line to the history, and each past day shows the device where it was."""
    for command in (
        ("install", "smoke:S1", "H1", "--day", "2024-05-02"),
        ("battery", "S1", "--day", "2024-06-01"),
        ("move", "S1", "H2", "--day", "2024-07-01"),
        ("maintain", "S1", "--day", "2024-07-02"),
        ("repair", "S1", "--day", "2024-07-03", "--reason", "sensor"),
        ("remove", "S1", "--day", "2024-08-01"),
        ("retire", "S1", "--day", "2024-09-01"),
    ):
        assert stocked("inventory", *command).status == 0, command
    told = [line["kind"] for line in stocked("inventory", "history", "S1", "--json").json]
    assert told == [
        "received", "installed", "battery", "moved", "maintenance", "repaired", "removed", "retired",
    ]  # fmt: skip
    where = [
        [row["home"] for row in stocked("inventory", "at", day, "--type", "smoke", "--json").json]
        for day in ("2024-03-31", "2024-04-30", "2024-06-30", "2024-07-31", "2024-08-31", "2024-09-01")
    ]
    assert where == [[], [""], ["H1"], ["H2"], [""], []]


def test_a_dry_run_changes_nothing(stocked: Vetlla) -> None:
    """The command shows what would happen, and does not do it."""
    assert "installed" in stocked("inventory", "install", "S1", "H1", "--dry-run").out
    (row,) = stocked("inventory", "find", "S1", "--json").json
    assert row["place"] == "warehouse"


def test_a_dry_run_writes_no_file(stocked: Vetlla, vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """It does not touch the registry, because a plan under way would notice that, and it creates no registry."""
    file, empty, before = tmp_path / "devices.csv", tmp_path / "empty", stamp(state_dir)
    file.write_text("type,serial,ownership,place\nsmoke,X1,leased,warehouse\n")
    empty.mkdir()
    assert "nothing was written" in stocked("inventory", "import", file, "--dry-run").out
    assert stamp(state_dir) == before
    assert vetlla("inventory", "import", file, "--dry-run", "--state-dir", empty).status == 0
    assert list(empty.iterdir()) == []


def test_the_terminals_accounts_go_to_the_receiver_in_one_file(stocked: Vetlla, tmp_path: Path) -> None:
    """After export and import the receiver has every terminal with home and level, also accounts that are names."""
    for serial, account, home in (("T2", "term-0042", "H2"), ("T3", "0099", "")):
        stocked("inventory", "add", "terminal_ip", serial, "--account", account, "--day", "2024-04-01")
        if home:
            assert stocked("inventory", "install", serial, home, "--day", "2024-04-02").status == 0
    file = tmp_path / "accounts.csv"
    assert stocked("inventory", "export", file, "--what", "accounts").status == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines == ['"account","home","support_level"', '"TERM-0042","H2","3"']
    assert stocked("accounts", "import", file).status == 0
    (known,) = stocked("accounts", "list", "--json").json
    assert (known["home"], known["support_level"]) == ("H2", 3)


@pytest.mark.parametrize(
    ("new", "status"), [("fall_ucr", os.EX_OK), ("smoke", os.EX_USAGE), ("terminal_ip", os.EX_USAGE)]
)
def test_only_a_device_of_the_same_kind_replaces_a_device(stocked: Vetlla, new: str, status: int) -> None:
    """A UCR may be replaced by a UCR of any kind, but not by a smoke detector, which must not inherit its cost date."""
    stocked("inventory", "add", new, "N1", "--day", "2024-04-02")
    assert stocked("inventory", "replace", "U1", "N1", "--day", "2024-05-02").status == status


def test_installing_a_terminal_that_the_receiver_does_not_expect_gives_a_message(stocked: Vetlla) -> None:
    """The message has the command that registers it; a registered terminal gives no message."""
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "0042", "--day", "2024-04-01")
    done = stocked("inventory", "install", "T2", "H2", "--day", "2024-04-02")
    command = done.talk.strip().rpartition(": vetlla ")[2]
    assert command == "accounts set 0042 --home H2"
    assert stocked(*command.split()).status == 0
    stocked("inventory", "add", "terminal_ip", "T3", "--account", "0042", "--day", "2024-04-01")
    assert stocked("inventory", "replace", "T2", "T3", "--day", "2024-04-03").talk == ""


def test_an_old_short_number_comes_back_with_the_export(stocked: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """A registry may hold 112 from before the rule. Its export is taken back; another home gets no such number."""
    with transaction(state_dir, CLOCK) as registry:
        put(registry, replace(homes.homes(registry, ["H1"])["H1"], phones=("112",)), at_us=CLOCK.now().utc_us)
    file = tmp_path / "out.csv"
    assert stocked("inventory", "export", file, "--what", "homes").status == 0

    (answer,) = stocked("inventory", "import", file, "--what", "homes", "--json").json
    assert (answer["new"], answer["changed"], answer["unchanged"], answer["bad"]) == (0, 0, 2, 0)

    file.write_text(file.read_text(encoding="utf-8").replace('"H1"', '"H3"'), encoding="utf-8")
    done = stocked("inventory", "import", file, "--what", "homes")
    assert done.status == os.EX_USAGE
    assert "row 2: column phones: '112' 112 has too few digits for a telephone number" in done.talk
