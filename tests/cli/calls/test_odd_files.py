"""Files of calls that are cut, contradict themselves, or hold words for numbers; lists and exports that select."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HEADING = "external_id,direction,started,answered,ended,caller,called,agent,recording\n"
LOG = ("--format", "asterisk-queue-log")
CDR = ("--format", "asterisk-cdr")
WHOLE = "1793692801|1793692800.1|telecare|NONE|ENTERQUEUE||900000001|1\n"
RECORD = '"","{}","100","from-pstn","","PJSIP/t-1","","Queue","q","2026-11-03 09:00:00","2026-11-03 09:00:01",'
RECORD += '"2026-11-03 09:02:10",130,129,"ANSWERED","DOCUMENTATION","1793692800.{}",""\n'


def rows(*lines: str) -> str:
    return HEADING + "".join(f"{line}\n" for line in lines)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.csv"


# --- a line that is cut off -------------------------------------------------------------------------------------------


def test_a_line_that_is_cut_off_is_no_line(vetlla: Vetlla, file: Path) -> None:
    """Half a time or half a number could pass for a whole one. With --partial the lines before it are imported."""
    file.write_text(f"{WHOLE}1793692806|1793692800.1|telecare|PJSIP/101|CONNECT|5|17936", encoding="utf-8")
    done = vetlla("calls", "import", file, *LOG)
    assert done.status == os.EX_USAGE
    assert "the last line is cut off, because no line end follows it" in done.error + done.talk
    partly = vetlla("calls", "import", file, *LOG, "--partial", "--json")
    assert (partly.status, partly.json[-1]["new"], partly.json[-1]["bad"]) == (os.EX_DATAERR, 1, 1)
    assert vetlla("calls", "show", "1793692800.1", "--json").json[0]["answered"] is None


@pytest.mark.parametrize("form", [LOG, CDR])
def test_a_first_line_that_is_cut_off_is_refused(vetlla: Vetlla, file: Path, form: tuple[str, str]) -> None:
    file.write_text((WHOLE if form is LOG else RECORD.format("900000001", 1)).rstrip("\n"), encoding="utf-8")
    done = vetlla("calls", "import", file, *form)
    assert done.status == os.EX_USAGE
    assert "cut off" in done.error


# --- two rows about one call ------------------------------------------------------------------------------------------


def test_rows_that_say_the_same_are_counted(vetlla: Vetlla, file: Path) -> None:
    """A row that adds something to an earlier one is no repetition."""
    one = "a,in,2026-11-03T09:00Z,,,900000001,100,,"
    file.write_text(rows(one, one, "a,,,,,,,,r/a.wav", "a,,,,,900 000 001,,,"), encoding="utf-8")
    done = vetlla("calls", "import", file, "--json").json[0]
    assert (done["new"], done["repeated"], done["bad"]) == (1, 2, 0)
    assert "2 rows repeated" in vetlla("calls", "import", file).out
    assert vetlla("calls", "show", "a", "--json").json[0]["recording"] == "r/a.wav"


def test_rows_that_contradict_each_other_are_faults(vetlla: Vetlla, file: Path) -> None:
    """No rule says which of them is right. With --partial the first one is kept, and the other is put aside."""
    one = "a,in,2026-11-03T09:00Z,,,900000001,100,{},"
    file.write_text(rows(one.format("maria"), one.format("pere")), encoding="utf-8")
    done = vetlla("calls", "import", file)
    assert done.status == os.EX_USAGE
    assert "agent" in done.error + done.talk
    assert "differs from row 2, which is about the same call" in done.error + done.talk
    assert vetlla("calls", "import", file, "--partial").status == os.EX_DATAERR
    assert vetlla("calls", "show", "a", "--json").json[0]["agent"] == "maria"


def test_a_later_file_may_still_correct_a_call(vetlla: Vetlla, file: Path) -> None:
    for agent in ("maria", "pere"):
        file.write_text(rows(f"a,in,2026-11-03T09:00Z,,,900000001,100,{agent},"), encoding="utf-8")
        assert vetlla("calls", "import", file).status == 0
    assert vetlla("calls", "show", "a", "--json").json[0]["agent"] == "pere"


# --- words for numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["anonymous", "Anonymous", "unknown", "<unknown>", "Restricted", "unavailable"])
def test_a_withheld_number_is_no_number(vetlla: Vetlla, file: Path, word: str) -> None:
    """Such a call is not registered as ANS 7 asks. The name of an extension stays."""
    file.write_text(RECORD.format(word, 1) + RECORD.format("porter", 2), encoding="utf-8")
    assert vetlla("calls", "import", file, *CDR).status == 0
    first, second = (vetlla("calls", "show", f"1793692800.{number}", "--json").json[0] for number in (1, 2))
    assert (first["caller"], first["home_method"], second["home_method"]) == ("", "no_number", "no_number")
    assert "registered" in first["lacks"]
    shown = vetlla("calls", "show", "1793692800.2", "--numbers", "--json").json[0]
    assert shown["caller"] == "porter"


# --- lists and exports ------------------------------------------------------------------------------------------------


def test_a_list_says_which_time_it_shows_and_what_it_left_out(vetlla: Vetlla, file: Path) -> None:
    file.write_text(rows(*(f"{n},in,2025-11-03T09:0{n}Z,,,900000001,100,," for n in range(3))), encoding="utf-8")
    assert vetlla("calls", "import", file).status == 0
    recent = vetlla("calls", "list", "--untied")
    assert (recent.out, recent.status) == ("", 0)
    assert "for earlier ones: --since" in recent.talk
    some = vetlla("calls", "list", "--untied", "--since", "2025-11-01", "--limit", 2)
    assert some.talk == "1 older call not listed: --limit\n"
    assert vetlla("calls", "list", "--untied", "--since", "2025-11-01").talk == ""


def test_an_export_names_the_pbx_if_there_are_several(vetlla: Vetlla, file: Path, tmp_path: Path) -> None:
    """Two PBX may give the same id, and a row does not name its PBX."""
    for source, number in (("north", "900000001"), ("south", "900000002")):
        file.write_text(rows(f"a,in,2026-11-03T09:00Z,,,{number},100,,"), encoding="utf-8")
        assert vetlla("calls", "import", file, "--source", source).status == 0
    out = tmp_path / "out.csv"
    refused = vetlla("calls", "export", out)
    assert refused.status == os.EX_USAGE
    assert "there are calls of several PBX: 'north', 'south'" in refused.error
    assert not out.exists()
    assert "no calls of a PBX 'west'" in vetlla("calls", "export", out, "--source", "west").error
    assert vetlla("calls", "export", out, "--source", "south").status == 0
    assert "+34900000002" in out.read_text(encoding="utf-8")
    assert "+34900000001" not in out.read_text(encoding="utf-8")
