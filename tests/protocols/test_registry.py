"""The registry: ours by name, third parties' by entry point, and clear words when one of those is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.errors import ConfigError
from vetlla.protocols.registry import PROTOCOLS, load_protocols

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.decoder import Description
described = Description(name="acme", summary="Acme's own", make=Dc09Decoder, max_pending=10)
taken = Description(name="dc09", summary="a second DC-09", make=Dc09Decoder, max_pending=10)
nothing = "not a description"
"""


def install(path: Path, target: str) -> None:
    """Lay down what a package installer would: a module and its metadata."""
    (path / "acme_alarm.py").write_text(MODULE, encoding="utf-8")
    metadata = path / "acme_alarm-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-alarm\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[vetlla.protocols]\nacme = {target}\n", encoding="utf-8")


def test_names() -> None:
    """Every protocol stands under its own name, says in words what it is and bounds what it holds."""
    for name, description in PROTOCOLS.items():
        assert description.name == name
        assert description.summary
        assert description.max_pending > 0
        assert description.make(lambda _: []).finish() == []
    assert load_protocols() == PROTOCOLS


def test_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package adds its protocol by an entry point."""
    install(tmp_path, "acme_alarm:described")
    monkeypatch.syspath_prepend(tmp_path)
    assert set(load_protocols()) == {*PROTOCOLS, "acme"}


@pytest.mark.parametrize("target", ["acme_alarm:taken", "acme_alarm:nothing", "acme_alarm:missing", "no_such_module:x"])
def test_broken_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """A broken entry stops the start with the package's name and the remedy, and takes no name of ours."""
    install(tmp_path, target)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as error:
        load_protocols()
    assert target in str(error.value)
    assert "acme-alarm" in str(error.value)
