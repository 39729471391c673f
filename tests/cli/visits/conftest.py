"""What tests of visits and of equipment share: a service with two homes and equipment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import DEVICES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """\
code,district,base,level,alone,active,suspended
H1,01,NORD,2,yes,2018-01-01/,
H2,02,NORD,3,no,2018-01-01/,2026-11-20/2027-01-31
H3,03,SUD,1,no,2018-01-01/2026-11-10,
"""
MORE = """\
ucr,U2,municipal,warehouse,,2024-W05,,
terminal_gsm,T2,leased,warehouse,,2024-W05,,
smoke,S3,municipal,home,H3,2018-W10,2018-05-02,
"""


@pytest.fixture
def service(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Return the commands of a service with homes and equipment."""
    homes, devices = tmp_path / "homes.csv", tmp_path / "devices.csv"
    homes.write_text(HOMES, encoding="utf-8")
    devices.write_text(DEVICES + MORE, encoding="utf-8")
    assert vetlla("inventory", "import", homes, "--what", "homes").status == 0
    assert vetlla("inventory", "import", devices, "--day", "2024-04-01").status == 0
    return vetlla
