"""``vetlla accounts`` imports whole files or nothing, and the receiver uses a change at once."""

from __future__ import annotations

import os
import pty
import pwd
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.terminal_screen import screen
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.row_files import EVERY as LONG_FILE
from vetlla.cli.kit.tables import TABLE_ROWS
from vetlla.domain.permissions import user_name
from vetlla.receiver.control.messages.receiver import ReloadAll

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
USER = pwd.getpwuid(os.getuid()).pw_name

HOMES = """\
account,receiver,line,home,key_name,clock_window,interval_s,ucr_interval_s,allowed_misses,labels,support_level,maker,remaps
0017,,,H-17,north,standard,15m,1h,4,operator:orange,2,Climax,120=fall:LIFE
00a8,1,2,H-18,,-300..60,,,,,,,
"""


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    file = tmp_path / "homes.csv"
    file.write_text(HOMES, encoding="utf-8")
    return file


def test_a_file_is_imported_and_importing_it_again_changes_nothing(vetlla: Vetlla, homes: Path) -> None:
    """Cron may import the same file every night; the command counts what changed."""
    assert vetlla("accounts", "import", homes).out == f"{homes}: 2 added, 0 changed, 0 unchanged\n"
    assert vetlla("accounts", "import", homes).out == f"{homes}: 0 added, 0 changed, 2 unchanged\n"

    homes.write_text(HOMES.replace("15m", "1h"), encoding="utf-8")
    (answer,) = vetlla("accounts", "import", homes, "--json").json
    assert answer == {"added": 0, "changed": 1, "unchanged": 1, "dry_run": False, "receiver_told": False}


def test_a_bad_file_is_refused_whole_with_every_fault(vetlla: Vetlla, homes: Path) -> None:
    """Each fault has row, column, value and reason; the good rows are not imported either."""
    homes.write_text(HOMES.replace("15m", "soon").replace(",1,2,", ",R1,2,"), encoding="utf-8")

    done = vetlla("accounts", "import", homes)

    assert done.status == os.EX_USAGE
    assert done.error.startswith(f"{homes}: 2 faults, nothing imported")
    assert done.talk.splitlines() == [
        "row 2: column interval_s: 'soon' should be a duration such as 90s, 15m, 2h, 7d or 1h30m; 0 for none",
        "row 3: column receiver: 'R1' should be 1 to 6 hex digits, without a leading R or L; empty for any",
    ]
    assert vetlla("accounts", "list").out == ""

    faults = vetlla("accounts", "import", homes, "--json").json
    assert [(fault["row"], fault["column"], fault["value"]) for fault in faults] == [
        (2, "interval_s", "soon"),
        (3, "receiver", "R1"),
    ]


def test_a_dry_run_counts_and_writes_nothing(vetlla: Vetlla, homes: Path, state_dir: Path) -> None:
    """The command says what would happen, and does not do it."""
    done = vetlla("accounts", "import", homes, "--dry-run")

    assert done.out == f"{homes}: 2 added, 0 changed, 0 unchanged (dry run: nothing was written)\n"
    assert not list(state_dir.iterdir())
    assert vetlla("accounts", "set", "1234", "--dry-run").out == "account 1234: registered (dry run)\n"
    assert not list(state_dir.iterdir())


def test_import_takes_the_json_that_list_prints(vetlla: Vetlla, homes: Path, tmp_path: Path) -> None:
    """A user can copy the registry of one centre to another without loss, through standard input."""
    vetlla("accounts", "import", homes)
    listed = vetlla("accounts", "list", "--json")
    there = tmp_path / "there"

    assert vetlla("accounts", "import", "-", "--state-dir", there, stdin=listed.out).out.startswith("-: 2 added")
    assert vetlla("accounts", "list", "--json", "--state-dir", there).out == listed.out
    assert listed.json[0] == {
        "account": "0017",
        "receiver": "",
        "line": "",
        "home": "H-17",
        "key_name": "north",
        "clock_window": "standard",
        "interval_s": 900,
        "ucr_interval_s": 3600,
        "allowed_misses": 4,
        "labels": "operator:orange",
        "support_level": 2,
        "maker": "climax",
        "remaps": "120=fall:LIFE",
    }


@pytest.mark.parametrize(("form", "text"), [("csv", "account\n17\n"), ("json", '{"account": "17"}')])
def test_the_format_may_be_named(vetlla: Vetlla, form: str, text: str) -> None:
    """Without --format the first character decides."""
    for options in (["--format", form], []):
        assert vetlla("accounts", "import", "-", *options, "--dry-run", stdin=text).out.startswith("-: 1 added")


def test_a_file_that_cannot_be_read_is_reported(vetlla: Vetlla, tmp_path: Path) -> None:
    """The file is missing, or has another encoding; the error then names the line."""
    assert "none.csv: No such file or directory" in vetlla("accounts", "import", tmp_path / "none.csv").error

    latin = tmp_path / "latin.csv"
    latin.write_bytes("account,home\n17,Gràcia\n".encode("latin-1"))
    done = vetlla("accounts", "import", latin)
    assert done.status == os.EX_USAGE
    assert "latin.csv: line 2 is not UTF-8 text, nothing imported" in done.error


def test_accounts_are_listed_by_home_and_key(vetlla: Vetlla, homes: Path) -> None:
    """People get a table, and no output if there is no account."""
    vetlla("accounts", "import", homes)

    header, row = vetlla("accounts", "list", "--key-name", "north").out.splitlines()
    assert header.split()[:3] == ["account", "receiver", "line"]
    assert row.split() == [
        "0017",
        "H-17",
        "north",
        "standard",
        "900",
        "3600",
        "4",
        "operator:orange",
        "2",
        "climax",
        "120=fall:LIFE",
    ]
    assert [one["account"] for one in vetlla("accounts", "list", "--home", "H-18", "--json").json] == ["00a8"]
    assert vetlla("accounts", "list", "--home", "H-19").out == ""


def test_a_long_list_ends_like_the_other_lists(vetlla: Vetlla) -> None:
    """A table ends after 500 rows, or --limit, and says how many are left; a machine gets all."""
    rows = "".join(f"{number:04}\n" for number in range(TABLE_ROWS + 3))
    vetlla("accounts", "import", "-", "--format", "csv", stdin=f"account\n{rows}")

    done = vetlla("accounts", "list")
    assert len(done.out.splitlines()) == 1 + TABLE_ROWS
    assert done.talk == "3 more: --limit N shows more, --json all\n"
    done = vetlla("accounts", "list", "--limit", 2)
    assert (len(done.out.splitlines()), done.talk.partition(" ")[0]) == (3, str(TABLE_ROWS + 1))
    assert len(vetlla("accounts", "list", "--json").json) == TABLE_ROWS + 3
    assert len(vetlla("accounts", "list", "--json", "--limit", 2).json) == 2


def test_an_account_is_set_and_shown_with_who_changed_what(vetlla: Vetlla) -> None:
    """The command says if an account is registered, changed or unchanged, and the record names the Unix user."""
    assert vetlla("accounts", "set", "1234", "--home", "H-1", "--interval", "15m").out == "account 1234: registered\n"
    done = vetlla("accounts", "set", "1234", "--interval", "1h", "--home", "")
    assert done.out == "account 1234: home H-1 -> (none)\naccount 1234: interval_s 900 -> 3600\n"
    assert vetlla("accounts", "set", "1234", "--interval", "3600").out == "account 1234: unchanged\n"

    (shown,) = vetlla("accounts", "show", "1234", "--json").json
    assert shown["accounts"][0]["interval_s"] == 3600
    assert [(change["by"], change["field"], change["old"], change["new"]) for change in shown["changes"]] == [
        (USER, "interval_s", "900", "3600"),
        (USER, "home", "H-1", ""),
        (USER, "registered", "", '{"account": "1234", "home": "H-1", "interval_s": 900}'),
    ]
    assert "interval_s      3600" in vetlla("accounts", "show", "1234").out


def test_behind_sudo_the_record_names_the_person(vetlla: Vetlla, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name "root" does not say which person it was."""
    monkeypatch.setenv("SUDO_USER", "ana.invented")
    vetlla("accounts", "set", "1234")

    (shown,) = vetlla("accounts", "show", "1234", "--json").json
    assert shown["changes"][0]["by"] == f"ana.invented (as {USER})"


def test_receiver_and_line_tell_accounts_apart(vetlla: Vetlla) -> None:
    """The same account on another line is another entry; `accounts show` shows both."""
    vetlla("accounts", "set", "1234", "--home", "H-1")
    done = vetlla("accounts", "set", "1234", "--line", "2", "--home", "H-2", "--json")
    assert done.json[0]["changes"][0]["field"] == "registered"

    (shown,) = vetlla("accounts", "show", "1234", "--json").json
    assert [(one["line"], one["home"]) for one in shown["accounts"]] == [("", "H-1"), ("2", "H-2")]


def test_a_removed_account_is_unknown_but_its_history_stays(vetlla: Vetlla) -> None:
    """A second removal is an error, and so is the removal of an account that never existed."""
    vetlla("accounts", "set", "1234")
    assert vetlla("accounts", "remove", "1234").out == "account 1234: removed\n"

    again = vetlla("accounts", "remove", "1234")
    assert again.status == os.EX_USAGE
    assert again.error.startswith("account 1234 is not registered")
    assert vetlla("accounts", "list").out == ""
    assert "removed" in vetlla("accounts", "show", "1234").out
    assert "account 9 is not registered" in vetlla("accounts", "show", "9").error


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["12 34"], "account '12 34': should be letters"),
        (["1", "--line", "L0"], "line 'L0': should be 1 to 6 hex digits"),
        (["1", "--interval", "x"], "interval_s 'x': should be a duration"),
        (["1", "--key-name", "00" * 16], "key_name (not shown): looks like a key itself"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(vetlla: Vetlla, arguments: list[str], told: str) -> None:
    """The error does not repeat a key that was pasted in place of its name."""
    done = vetlla("accounts", "set", *arguments)

    assert done.status == os.EX_USAGE
    assert told in done.error
    assert "00000000" not in done.error


def test_a_change_that_lowers_protection_gives_a_warning(vetlla: Vetlla, tmp_path: Path) -> None:
    """There is one warning for all accounts of an import, on stderr, so that pipes stay clean."""
    file = tmp_path / "homes.csv"
    file.write_text("account,clock_window\n" + "".join(f"{n},off\n" for n in range(5)), encoding="utf-8")

    talk = vetlla("accounts", "import", file).talk
    assert "warning: account 0; 1; 2 and 2 more has no clock window: old encrypted frames can be replayed\n" in talk


def test_setting_a_maker_gives_a_warning(vetlla: Vetlla) -> None:
    """A maker's codes may make some reports less urgent: the command warns of it, and records who did it."""
    done = vetlla("accounts", "set", "AAA", "--maker", "Ajax")
    assert done.out == "account AAA: registered\n"
    assert "warning: account AAA has its codes read as ajax means them" in done.talk
    assert vetlla("accounts", "show", "AAA", "--json").json[0]["accounts"][0]["maker"] == "ajax"

    back = vetlla("accounts", "set", "AAA", "--maker", "")
    assert back.out == "account AAA: maker ajax -> (none)\n"
    assert "warning" not in back.talk
    assert "should be one of ajax, climax, inim" in vetlla("accounts", "set", "AAA", "--maker", "acme").error


def test_a_running_receiver_takes_a_change_at_once(state_dir: Path) -> None:
    """In real processes the daemon reads a change at once, or returns the reason why it cannot use it."""
    (state_dir.parent / "conf.d").mkdir()
    (state_dir.parent / "conf.d" / "http.toml").write_text("[http]\nenabled = false\n", encoding="utf-8")
    with subprocess.Popen([VETLLA, "receiver"]) as daemon:
        try:
            run("status", "--wait", "30")
            done = run("accounts", "set", "17", "--json")
            assert '"receiver_told": true' in done.stdout
            assert done.stderr == ""
            assert ask(state_dir, ReloadAll())["accounts"] == 1

            key = state_dir.parent / "north.key"
            key.write_text("00" * 16, encoding="ascii")
            done = run("keys", "set", "north", "--hex", "--from-file", str(key), "--json")
            assert ('"receiver_told": true' in done.stdout, done.stderr) == (True, "")
            behind = state_dir.parent / "credential"
            done = run("keys", "set", "north", "--hex", "--from-file", str(key), "--keys-file", str(behind), "--json")
            assert '"receiver_told": false' in done.stdout
            assert f"reads its keys from {state_dir}/keys.toml, not from {behind}" in done.stderr

            (state_dir / "keys.toml").write_text("broken", encoding="ascii")
            (state_dir / "keys.toml").chmod(0o600)
            done = run("accounts", "set", "18", "--json")
            assert '"receiver_told": false' in done.stdout
            assert "warning: the receiver goes on with its old accounts and keys: " in done.stderr
            assert "keys.toml: not TOML" in done.stderr
        finally:
            daemon.terminate()
        assert daemon.wait(30) == 0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VETLLA, *arguments], check=True, capture_output=True, text=True, timeout=60)


def test_a_long_file_shows_how_far_it_is_on_a_terminal(state_dir: Path, tmp_path: Path) -> None:
    """A person sees progress; a pipe gets only the answer."""
    file = tmp_path / "many.csv"
    file.write_text("account\n" + "".join(f"{number}\n" for number in range(LONG_FILE)), encoding="utf-8")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [VETLLA, "accounts", "import", file], stdin=slave, stdout=subprocess.PIPE, stderr=slave, text=True
    ) as process:
        os.close(slave)
        shown = screen(master)
        answer, _ = process.communicate(timeout=60)
    os.close(master)

    assert b"reading" in shown
    assert b"100%" in shown
    assert answer == f"{file}: {LONG_FILE} added, 0 changed, 0 unchanged\n"
    assert "reading" not in run("accounts", "import", str(file)).stderr
    assert (state_dir / "registry.db").exists()


def test_a_user_without_a_name_is_recorded_by_number() -> None:
    """A container's user may have no entry in the list of users."""
    assert user_name(2**31 - 17) == str(2**31 - 17)


def test_an_error_exits_with_its_familys_status(state_dir: Path) -> None:
    """The installed program prints message and remedy on stderr, and nothing on stdout."""
    (state_dir / "registry.db").write_bytes(b"not a registry" * 100)

    done = subprocess.run([VETLLA, "accounts", "list"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == os.EX_IOERR
    assert done.stdout == ""
    assert done.stderr == (
        f"vetlla: {state_dir}/registry.db: file is not a database\n  -> restore the last backup: vetlla db restore\n"
    )


@pytest.mark.usefixtures("state_dir")
def test_it_is_no_error_if_the_reader_of_a_pipe_ends(tmp_path: Path) -> None:
    """``vetlla accounts list | head -1`` ends quietly."""
    file = tmp_path / "many.csv"
    file.write_text("account\n" + "".join(f"{number}\n" for number in range(20_000)), encoding="utf-8")
    script = f"{VETLLA} accounts import {file} && {VETLLA} accounts list --json | head -n 1"

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    imported, first = done.stdout.splitlines()
    assert imported.endswith("20000 added, 0 changed, 0 unchanged")
    assert first.startswith('{"account": "0"')
    assert done.stderr.count("\n") == 1, done.stderr  # the message that no receiver confirmed the import
