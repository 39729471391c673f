"""Peers of the channels that several tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.mockpost import running_mockpost

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mockpost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an emulator of WhatsApp and Twilio, and give its address."""
    with running_mockpost(tmp_path_factory.mktemp("mockpost")) as url:
        yield url
