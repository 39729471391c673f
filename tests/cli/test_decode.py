"""``vetlla decode`` turns recorded bytes into items."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from tests.rigs.recordings import recordings
from vetlla.cli.decode import decode
from vetlla.cli.kit.items import item_fields, signal_fields
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Position, Signal
from vetlla.protocols.dc09.frame import build, envelope

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = ["item", "protocol", "account", "event", "device", "occurred_at", "position", "text", "reason", "raw"]
HOME = AccountId("", "0", "1234")
ALARM = build("ADM-CID", "0001", HOME, b"#1234|1101 01 007")
EVENTS = build("SIA-DCS", "0002", HOME, b"#1234|NBA1/FA2")
BROKEN = ALARM.replace(b"1101", b"1102")
SECRET = bytes(range(16))
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

app = typer.Typer()
app.command()(decode)


def run(*arguments: object, given: str | bytes = "") -> tuple[int, str, str]:
    """Return exit status, stdout and stderr; a UsageError goes to the caller, as in the program's main."""
    result = CliRunner().invoke(app, ["dc09", *map(str, arguments)], input=given)
    if isinstance(result.exception, UsageError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_recordings() -> None:
    """Every recording, as one line of hex, gives the JSON that is stored with it, and 65 if an item was rejected."""
    for recording in recordings("dc09"):
        keys = [part for key in recording.keys for part in ("--key", key.secret.hex())]
        keys += ["--long-pad"] * any(key.long_pad for key in recording.keys)
        status, out, _ = run("--json", *keys, given=recording.data.hex())
        shown = objects(out)
        expected = recording.expect_items
        assert len(shown) == len(expected), recording.name
        assert [{name: item[name] for name in want} for item, want in zip(shown, expected, strict=True)] == expected
        assert all(list(item)[: len(CONTRACT)] == CONTRACT for item in shown)
        assert (status == 65) is any(item["item"] == "reject" for item in shown), recording.name


def test_lines_are_chunks_of_one_stream() -> None:
    """Lines go in order to one decoder, so a frame may span several; blank and comment lines are skipped."""
    given = f"# a torn frame\n{ALARM[:10].hex()}\n\n   # second half\n{ALARM[10:].hex(' ')}\n{EVENTS.hex()}\n"
    status, out, _ = run("--json", given=given)
    assert [(item["event"]["code"], item["part"], item["parts"]) for item in objects(out)] == [
        ("101", 1, 1),
        ("BA", 1, 2),
        ("FA", 2, 2),
    ]
    assert status == 0


def test_datagrams_are_decoded_apart() -> None:
    """With --datagrams each line is read alone, so that two halves of a frame are two rejects."""
    given = f"{ALARM[:10].hex()}\n{ALARM[10:].hex()}\n{ALARM.hex()}\n"
    status, out, _ = run("--json", "--datagrams", given=given)
    assert [item["item"] for item in objects(out)] == ["reject", "reject", "signal"]
    assert status == 65


def test_file_and_raw_bytes(tmp_path: Path) -> None:
    """A recording may be a file of hex lines, or of the bytes themselves, or standard input (-)."""
    (tmp_path / "frames.hex").write_text(ALARM.hex(), encoding="ascii")
    (tmp_path / "frames.bin").write_bytes(ALARM)
    answers = {run("--json", tmp_path / "frames.hex")[1], run("--json", "--raw", tmp_path / "frames.bin")[1]}
    answers |= {run("--json", "-", given=ALARM.hex())[1], run("--json", "--raw", given=ALARM)[1]}
    assert len(answers) == 1
    assert objects(answers.pop())[0]["raw"] == ALARM.removesuffix(b"\r").hex()


@pytest.mark.parametrize("size", [16, 24, 32])
def test_keys(size: int) -> None:
    """Keys of every size decrypt, given as hex or as text; a key is named by its place and never shown."""
    secret = b"0123456789abcdef0123456789ABCDEF"[:size]
    frame = build("ADM-CID", "0001", HOME, b"#1234|1101 01 007", timestamp=THEN, key=secret)
    for option in (("--key", "00" * 16, "--key", secret.hex()), ("--key", "00" * 16, "--key-text", secret.decode())):
        status, out, _ = run("--json", *option, given=frame.hex())
        assert status == 0
        assert objects(out)[0]["sealed_with"] == "key 2"
        assert secret.hex() not in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--key", "xyz"), "--key number 1 is not hexadecimal"),
        (("--key", "00" * 16, "--key", "0011"), "key number 2 has 2 bytes"),
        (("--key-text", "tooshort"), "key number 1 has 8 bytes"),
        (("--raw", "--datagrams"), "--raw reads no lines"),
        (("no/such/file",), "No such file"),
    ],
)
def test_wrong_calls(options: tuple[str, ...], message: str) -> None:
    """The error of a wrong call says why and what to do, and repeats no key."""
    with pytest.raises(UsageError, match=message) as error:
        run(*options)
    assert error.value.remedy
    assert "xyz" not in str(error.value)
    assert "tooshort" not in str(error.value)


def test_unknown_protocol() -> None:
    """The error for an unknown protocol lists the known ones."""
    result = CliRunner().invoke(app, ["dc10"])
    assert isinstance(result.exception, UsageError)
    assert "dc09" in result.exception.remedy


def test_options_of_a_port() -> None:
    """With --option a line receiver's frames are read as the port with this setting reads them."""
    given = b"501112 183456E10100007\x14".hex()
    for options, line, account in (([], "112", "3456"), (["--option", "line_width=1"], "1", "123456")):
        shown = CliRunner().invoke(app, ["surgard", "--json", *options], input=given)
        (item,) = objects(shown.stdout)
        assert (item["receiver"], item["line"], item["account"], item["device"]) == ("01", line, account, "007")


@pytest.mark.parametrize(
    ("protocol", "option"),
    [("surgard", "line_width=9"), ("surgard", "line_width"), ("dc09", "line_width=3"), ("mqtt", "line_width=3")],
)
def test_options_that_a_port_has_not(protocol: str, option: str) -> None:
    """The error for an option that the protocol does not have says what to do."""
    result = CliRunner().invoke(app, [protocol, "--option", option], input="")
    assert isinstance(result.exception, UsageError)
    assert result.exception.remedy


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (f"{ALARM.hex()}\n0a3g", "line 2, column 4: 'g'"),
        ("# x\n\n0a 3", "line 3, column 4: half a byte"),
        ("0x0a", "line 1, column 2: 'x'"),
        ("0aé0", "line 1, column 3: 'é'"),
    ],
)
def test_bad_hex_is_named_by_place(given: str, place: str) -> None:
    """The error gives line and column of a bad digit; nothing before it is printed."""
    status, out, talk = run("--json", given=given)
    assert (status, out) == (65, "")
    assert place in talk


def test_answers() -> None:
    """With --answer the bytes that a stored report would get are shown, for the last part only."""
    _, out, _ = run("--json", "--answer", given=(ALARM + EVENTS).hex())
    assert [item["answer"] for item in objects(out)] == [
        envelope(b'"ACK"0001L0#1234[]').hex(),
        "",
        envelope(b'"ACK"0002L0#1234[]').hex(),
    ]
    assert '"ACK"0001L0#1234[]' in run("--answer", given=ALARM.hex())[1]


def test_for_a_person() -> None:
    """Without --json there is one readable line for each item, with the code's name."""
    frame = build("SIA-DCS", "0001", HOME, b"#9999|Nri1/MA7^Bed^", extended=[b"RFlat 2", b"X2.1", b"Y41.3"])
    status, out, _ = run(given=f"{frame.hex()}\n{BROKEN.hex()}\n{b'GET / HTTP/1.1'.hex()}\n")
    signal, reject, noise = out.splitlines()
    for said in ("signal", "1234", "personal emergency", "MA", "medical alarm", "7", "Bed", "Flat 2", "9999", "41.3"):
        assert said in signal
    assert "bad_checksum" in reject
    assert "1102 01 007" in reject
    assert "truncated" in noise
    assert status == 65


def test_a_maker_has_its_own_words() -> None:
    """With --maker a code is read and named as for an account of this maker; without it, by the standard."""
    frame = build("SIA-DCS", "0001", HOME, b"#1234|Nri1/PE501").hex()
    assert "general alarm  PE photo by scenario on (Ajax)" in run(given=frame)[1]
    assert "configuration  PE photo by scenario on  " in run("--maker", "ajax", given=frame)[1]
    assert "climax" in run("--maker", "acme", given=frame)[2]


def test_a_stored_report_is_marked_for_a_person() -> None:
    """A person must not take an alarm from a device's memory for a new one."""
    stored = next(one for one in recordings("minifinder") if one.name == "sos-from-memory")
    shown = CliRunner().invoke(app, ["minifinder"], input=stored.whole.hex()).stdout
    assert "personal emergency" in shown
    assert "kept back yes" in shown


def test_all_kinds_of_items_for_a_person() -> None:
    """Replies and hang-ups have a line, too."""
    sealed = build("ADM-CID", "0001", HOME, b"#1234|1101 01 007", timestamp=THEN, key=SECRET)
    out = run(given=sealed.hex())[1]
    assert "reply  \\n" in out
    assert "undecryptable from 1234" in out
    assert "hangup this is HTTP" in run(given=b"GET / HTTP/1.1\r\n".hex())[1]
    assert "key key 1" in run("--key", SECRET.hex(), given=sealed.hex())[1]
    assert "DC -3.5" in run(given=build("SIA-DCS", "0001", HOME, b"#1234|NZA3*-3.5DC").hex())[1]
    assert "part 1/2" in run(given=EVENTS.hex())[1]
    assert "restored" in run(given=build("SIA-DCS", "0001", HOME, b"#1234|NAR").hex())[1]


def test_device_cannot_steer_the_terminal() -> None:
    """Control characters and markup in a device's text are shown, not obeyed."""
    frame = build("SIA-DCS", "0001", HOME, b"#1234|NMA7^\x1b(2J[bold red^")
    out = run(given=frame.hex())[1]
    assert "\x1b" not in out
    assert "\\x1b(2J[bold red" in out


def test_no_input_gives_no_output() -> None:
    """Without bytes the command prints nothing."""
    assert run("--json", given="") == (0, "", "")
    assert run(given="# only a comment\n") == (0, "", "")


def test_fields_of_a_full_signal() -> None:
    """Every field of a signal is there, times are in UTC with a Z, and the result is JSON."""
    signal = Signal(
        protocol="dc09",
        id=AccountId("1", "2", "1234"),
        event=Event(Kind.FALL, Phase.NEW, "103", "contact_id"),
        raw=b"\n",
        occurred_at=THEN,
        position=Position(latitude=41.3, longitude=2.1, at=THEN),
        measurements={"battery": 80.0},
        details={"mac": "00"},
    )
    fields = json.loads(json.dumps(signal_fields(signal)))
    assert list(fields)[: len(CONTRACT)] == CONTRACT
    assert fields["occurred_at"] == fields["position"]["at"] == "2026-01-02T03:04:05Z"
    assert fields["sent_at"] is None
    assert item_fields(signal, "dc09") == fields
