"""A configuration to check, and what ``vetlla check-config`` warns of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def add(config: Path, text: str) -> None:
    config.write_text(config.read_text(encoding="utf-8") + text, encoding="utf-8")


def warnings(vetlla: Vetlla) -> dict[str, str]:
    done = vetlla("check-config", "--json")
    assert done.status == 0, done.error
    return {warning["check"]: warning["text"] for warning in done.json[0]["warnings"]}
