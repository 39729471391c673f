"""Runs ``vetlla dispatch`` as a dispatcher does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla


def act(vetlla: Vetlla, *words: object, status: int = 0) -> dict[str, Any]:
    done = vetlla("dispatch", *words, "--json")
    assert done.status == status, (done.error, done.out)
    return done.json[0] if done.out else {}


def refused(vetlla: Vetlla, *words: object) -> str:
    done = vetlla("dispatch", *words)
    assert done.status == os.EX_USAGE, done
    return done.error


def rows(vetlla: Vetlla, *words: object) -> list[dict[str, Any]]:
    return vetlla("dispatch", *words, "--json").json
