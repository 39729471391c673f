"""A registry with homes, and the result of importing a file of devices into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

HEADING = ("type", "serial", "ownership", "place", "home", "imei", "account", "made", "since", "first_installed")
IMEI = "353512345678905"
DEVICE = ("terminal_ip", "SN0001", "leased", "home", "H000001", "", "0123", "2019-W07", "01/04/2024", "01/04/2024")


def device(**changed: str) -> list[str]:
    """Return the cells of a valid device, with some of them changed."""
    return [changed.get(name, cell) for name, cell in zip(HEADING, DEVICE, strict=True)]


class Taker(Protocol):
    """Imports a file of devices."""

    def __call__(self, content: bytes | str, *options: str, name: str = "devices.csv") -> Done:
        """Return the result of the import."""
        ...


@pytest.fixture
def homes(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Register some homes."""
    rows = "".join(f"H{number:06},01,NORD,1,yes,2015-01-01/\n" for number in range(1, 5))
    (tmp_path / "homes.csv").write_text(f"code,district,base,level,alone,active\n{rows}", encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    return vetlla


@pytest.fixture
def take(homes: Vetlla, tmp_path: Path) -> Taker:
    """Import a file of devices as an engineer does."""

    def taking(content: bytes | str, *options: str, name: str = "devices.csv") -> Done:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return homes("inventory", "import", file, "--day", "2024-06-01", *options)

    return taking


def taken(vetlla: Vetlla) -> list[dict[str, Any]]:
    """Return the devices that are registered."""
    return vetlla("inventory", "list", "--json").json


def faults(done: Done) -> list[tuple[int, str, str]]:
    """Return row, column and reason of each fault that --json printed."""
    return [(one["row"], one["column"], one["reason"]) for one in done.json if "reason" in one]
