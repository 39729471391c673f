"""The registry has our protocols by name and third parties' by entry point; a broken entry gives a clear error."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.errors import ConfigError
from vetlla.domain.signals import STORED, Kind, Signal
from vetlla.protocols.codes.tables import MAX_CODE, code_of
from vetlla.protocols.decoder import Description, MessageDescription
from vetlla.protocols.registry import PROTOCOLS, load_protocols

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.protocols.decoder import AnyDescription

MODULE = """
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.decoder import Description, Message, MessageDescription, PortOption
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Signal
described = Description(name="acme", summary="Acme's own", make=Dc09Decoder, max_pending=10)
class Echo:
    def __init__(self, keys):
        pass
    def feed(self, data):
        code = data.decode("latin-1")
        return [Signal("echo", AccountId("", "", "1"), Event(Kind.FALL, Phase.NEW, code, "acme"), data)]
    def finish(self):
        return []
    def answer(self, signal, verdict, now):
        return signal.raw
echo = Description(name="echo", summary="Whatever came is the code", make=Echo, max_pending=10)
class Posted:
    def __init__(self, keys):
        pass

    def read(self, message):
        code = message.payload.decode("latin-1")
        event = Event(Kind.FALL, Phase.NEW, code, "acme")
        return [Signal(protocol="posted", id=AccountId("", "", message.topic), event=event, raw=message.payload)]

    def answer(self, signal, verdict, now):
        return signal.raw

def lines(recording):
    return [Message("1234", line) for line in recording.splitlines()]

posted = MessageDescription(name="posted", summary="Each line is a message", make=Posted, recorded=lines)
class Twice(Echo):
    def feed(self, data):
        return super().feed(data * 2)

options = (PortOption("twice", ("yes",), "Whatever came comes twice"),)
tuned = Description(
    name="tuned", summary="Echo with an option", make=Echo, max_pending=10, options=options, tune=lambda given: Twice
)
taken = Description(name="dc09", summary="a second DC-09", make=Dc09Decoder, max_pending=10)
nothing = "not a description"
"""


def install(path: Path, target: str) -> None:
    """Write the files that a package installer would write: a module and its metadata."""
    (path / "acme_alarm.py").write_text(MODULE, encoding="utf-8")
    metadata = path / "acme_alarm-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-alarm\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[vetlla.protocols]\nacme = {target}\n", encoding="utf-8")


def installed(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> AnyDescription:
    """Install the module with this entry; return the protocol as the registry loads it."""
    install(path, f"acme_alarm:{name}")
    monkeypatch.syspath_prepend(path)
    monkeypatch.delitem(sys.modules, "acme_alarm", raising=False)
    return load_protocols()[name]


def test_names() -> None:
    """Every protocol stands under its own name, and has a summary and a bound of what it holds."""
    for name, description in PROTOCOLS.items():
        assert description.name == name
        assert description.summary
        if isinstance(description, Description):
            assert description.max_pending > 0
            assert description.make(lambda _: []).finish() == []
        else:
            assert description.recorded(b"") == []
    assert load_protocols() == PROTOCOLS


def test_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package adds its protocol by an entry point."""
    install(tmp_path, "acme_alarm:described")
    monkeypatch.syspath_prepend(tmp_path)
    assert set(load_protocols()) == {*PROTOCOLS, "acme"}


@pytest.mark.parametrize("said", [b"FA", b"\x1b]0;owned\x07", b"\x9b2J", b"A" * 16_000])
def test_a_code_of_a_third_party_does_not_control_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """An invalid code of a third party is replaced; kind, bytes and answer stay as the third party made them."""
    description = installed(tmp_path, monkeypatch, "echo")
    assert isinstance(description, Description)
    decoder = description.make(lambda _: [])
    (signal,) = decoder.feed(said)
    assert isinstance(signal, Signal)
    assert signal.event.code == ("FA" if said == b"FA" else code_of(said.decode("latin-1")))
    assert signal.event.code.isprintable()
    assert len(signal.event.code) <= MAX_CODE
    assert (signal.event.kind, signal.raw, decoder.finish()) == (Kind.FALL, said, [])
    assert decoder.answer(signal, STORED, datetime.now(UTC)) == said


def test_a_third_party_may_read_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A protocol of messages is registered like one of streams, and its invalid codes are replaced, too."""
    description = installed(tmp_path, monkeypatch, "posted")
    assert isinstance(description, MessageDescription)
    decoder = description.make(lambda _: [])
    said = [item for message in description.recorded(b"FA\n\x1b]0;owned\x07") for item in decoder.read(message)]
    assert all(isinstance(item, Signal) and item.event.code.isprintable() for item in said)
    (first, _) = said
    assert isinstance(first, Signal)
    assert (first.event.code, decoder.answer(first, STORED, datetime.now(UTC))) == ("FA", b"FA")


def test_a_third_party_may_have_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port's options reach the decoder of a third party, whose invalid codes are replaced as without options."""
    description = installed(tmp_path, monkeypatch, "tuned")
    assert isinstance(description, Description)
    (signal,) = description.tuned({"twice": "yes"}).make(lambda _: []).feed(b"F\x1b")
    assert isinstance(signal, Signal)
    assert signal.event.code == code_of("F\x1bF\x1b")


@pytest.mark.parametrize("target", ["acme_alarm:taken", "acme_alarm:nothing", "acme_alarm:missing", "no_such_module:x"])
def test_broken_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """A broken entry, or one with a name of ours, gives an error with the package's name and the remedy."""
    install(tmp_path, target)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as error:
        load_protocols()
    assert target in str(error.value)
    assert "acme-alarm" in str(error.value)
