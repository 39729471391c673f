"""``vetlla reminders optout``: telephones that get no messages."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tests.rigs.reminders_desk import ANNA, BIEL
from vetlla.domain.messages import Channel
from vetlla.store.reminders import citizens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld

OPTOUT = ("reminders", "optout")
CARLA = "+34600000003"


def opted_out(desk: DeskWorld, phone: str) -> frozenset[Channel]:
    """Return the channels of a telephone that are closed."""
    return citizens.citizen(desk.db, desk.citizen(phone)).opted_out


def test_a_telephone_opts_out_of_both_channels_or_of_one(vetlla: Vetlla, desk: DeskWorld) -> None:
    assert vetlla(*OPTOUT, "add", "600 000 001", "--json").json == [{"telephones": 1, "new": 2}]
    assert vetlla(*OPTOUT, "add", BIEL, "--channel", "sms").status == 0
    assert opted_out(desk, ANNA) == frozenset(Channel)
    assert opted_out(desk, BIEL) == {Channel.SMS}
    assert vetlla(*OPTOUT, "add", ANNA, "--json").json == [{"telephones": 1, "new": 0}]


def test_the_list_masks_telephones_and_has_stable_fields(vetlla: Vetlla, desk: DeskWorld) -> None:
    vetlla(*OPTOUT, "add", ANNA)
    done = vetlla(*OPTOUT, "list", "--json")
    assert [list(one) for one in done.json] == [["phone", "channel", "at", "how"]] * 2
    assert {(one["phone"], one["how"]) for one in done.json} == {("\u2026001", "operator")}
    assert ANNA not in done.out + vetlla(*OPTOUT, "list").out
    assert ANNA in vetlla(*OPTOUT, "list", "--phones").out


def test_the_audit_has_no_telephone(vetlla: Vetlla, desk: DeskWorld) -> None:
    vetlla(*OPTOUT, "add", ANNA)
    vetlla(*OPTOUT, "remove", ANNA)
    assert desk.audited() == [("opted out", "opt-outs"), ("opted in", "opt-outs")]
    rows = desk.db.execute("SELECT * FROM audit").fetchall()
    assert "0000001" not in str([tuple(row) for row in rows])


def test_an_opt_out_is_taken_back_and_what_it_stopped_is_planned_again(vetlla: Vetlla, desk: DeskWorld) -> None:
    vetlla(*OPTOUT, "add", BIEL)
    desk.db.execute("UPDATE outbox SET state = 'suppressed', reason = 'opted_out' WHERE id = 2")
    assert vetlla(*OPTOUT, "remove", BIEL, "--json").json == [{"telephones": 1, "new": 2}]
    assert opted_out(desk, BIEL) == frozenset()
    assert vetlla("reminders", "list", "--json").json[1]["state"] == "planned"
    assert vetlla(*OPTOUT, "remove", CARLA, "--json").json == [{"telephones": 1, "new": 0}]


def test_a_list_is_imported_before_the_service_has_run(vetlla: Vetlla, tmp_path: Path, state_dir: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("phone,channel\n600000001,\n34600000002,sms\n", encoding="utf-8")
    assert vetlla(*OPTOUT, "import", file, "--json").json == [{"telephones": 2, "new": 3}]
    assert vetlla(*OPTOUT, "import", file, "--json").json == [{"telephones": 2, "new": 0}]
    assert (state_dir / "reminders.db").exists()


def test_the_list_of_a_provider_is_read_by_its_own_headings(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    file, mapping = tmp_path / "list.csv", tmp_path / "mapping.toml"
    file.write_text("msisdn;stopped\n34600000003;2026-11-20T10:00:00+01:00\n", encoding="utf-8")
    mapping.write_text('[columns]\nphone = "msisdn"\nat = "stopped"\n', encoding="utf-8")
    done = vetlla(*OPTOUT, "import", file, "--mapping", mapping, "--source", "provider")
    assert done.status == 0
    (one, _) = vetlla(*OPTOUT, "list", "--phones", "--json").json
    assert (one["phone"], one["at"], one["how"]) == (CARLA, "2026-11-20T09:00:00.000000Z", "provider")


def test_a_row_that_is_wrong_keeps_the_whole_file_out(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("phone,channel\n600000003,\nnone,\n600000001,fax\n", encoding="utf-8")
    done = vetlla(*OPTOUT, "import", file)
    assert done.status == os.EX_USAGE
    assert "row 3" in done.talk
    assert "whatsapp, sms or both" in done.talk
    assert vetlla(*OPTOUT, "list").out == ""


def test_an_export_is_private_and_import_takes_it_back(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    vetlla(*OPTOUT, "add", ANNA)
    vetlla(*OPTOUT, "add", BIEL, "--channel", "sms")
    before = vetlla(*OPTOUT, "list", "--phones", "--json").json
    for ending in ("csv", "xlsx", "ndjson"):
        file = tmp_path / f"list.{ending}"
        told = vetlla(*OPTOUT, "export", file, "--phones", "--json").json
        assert told == [{"file": str(file), "opt_outs": 3, "without_phone": 0}]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for phone in (ANNA, BIEL):
            vetlla(*OPTOUT, "remove", phone)
        assert vetlla(*OPTOUT, "import", file, "--json").json == [{"telephones": 3, "new": 3}]
        assert sorted(map(str, vetlla(*OPTOUT, "list", "--phones", "--json").json)) == sorted(map(str, before))


def test_an_export_without_whole_telephones_is_refused(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    done = vetlla(*OPTOUT, "export", tmp_path / "list.csv")
    assert done.status == os.EX_USAGE
    assert "--phones" in done.error
    assert not (tmp_path / "list.csv").exists()


def test_a_text_that_is_no_telephone_is_refused(vetlla: Vetlla, desk: DeskWorld) -> None:
    for text in ("hola", "123", "+1"):
        assert vetlla(*OPTOUT, "add", text).status == 2
