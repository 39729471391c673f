"""Every recording decodes as its file says; a new one needs only a file, no Python."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.rigs.recordings import FIXTURES, Recording, decode, recordings, signals
from vetlla.cli.kit.items import item_fields
from vetlla.domain.signals import STORED
from vetlla.protocols.registry import PROTOCOLS

ALL = [recording for protocol in PROTOCOLS for recording in recordings(protocol)]
NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)

each = pytest.mark.parametrize("recording", ALL, ids=lambda r: f"{r.protocol}-{r.name}")


def test_every_protocol_has_recordings() -> None:
    """Every registered protocol has recordings, and at least one of them is good."""
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir() and any(path.glob("*.json"))} >= set(PROTOCOLS)
    assert all(any(r.is_good for r in ALL if r.protocol == protocol) for protocol in PROTOCOLS)


@each
def test_items(recording: Recording) -> None:
    """A recording gives exactly the items in its file."""
    items = [item_fields(item, recording.protocol) for item in decode(recording.decoder(), [recording.data])]
    shown = [
        {name: item[name] for name in expected} for item, expected in zip(items, recording.expect_items, strict=False)
    ]
    assert shown == recording.expect_items
    assert len(items) == len(recording.expect_items)


@pytest.mark.parametrize("recording", [r for r in ALL if not r.keys], ids=lambda r: f"{r.protocol}-{r.name}")
def test_answers(recording: Recording) -> None:
    """A stored report is answered byte for byte as its file says; rejected bytes are never acknowledged."""
    decoder = recording.decoder()
    answers = [decoder.answer(signal, STORED, NOW) for signal in signals(decode(decoder, [recording.data]))]
    assert [answer for answer in answers if answer] == (recording.expect_answers or [])
