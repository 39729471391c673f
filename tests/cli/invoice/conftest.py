"""A small service for the invoice: three homes, five people, devices, calls and an emergency in October 2025."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FILES = {
    "homes": """\
code,district,base,level,alone,active,suspended
H1,01,NORD,1,yes,2020-01-01/,2025-10-10/2025-10-12
H2,01,NORD,3,no,2020-01-01/2025-10-20,
H3,02,NORD,2,no,2025-10-31/,
H4,02,NORD,2,no,2020-01-01/,
""",
    "people": """\
code,home,user_type,programmes,active,suspended
P1,H1,A,home_safety:2024-01-01/;mimal:2025-10-11/2025-10-12,,
P2,H2,A,carers:2024-01-01/,,
P3,H2,B,loneliness:2024-01-01/,2020-01-01/2025-10-25,2025-09-01/2025-10-05
P4,H3,A,mimal:2025-10-31/,,
""",
    "devices": """\
type,serial,ownership,place,home,since,first_installed
terminal_ip,T1,leased,home,H1,2025-10-16,2025-10-16
terminal_pstn,T2,municipal,home,H2,2020-01-01,2020-01-01
terminal_gsm,T3,leased,home,H3,2020-01-01,2020-01-01
smoke,S1,leased,home,H1,2024-01-01,2024-01-01
smoke,S2,leased,home,H2,2024-01-01,2024-01-01
ucr,U1,leased,home,H1,2024-01-01,2024-01-01
""",
}
EVENTS = """\
kind,subject,event,at,ref,from,to,team
follow_up,H1,planned,2025-09-25T09:00:00+02:00,F1,2025-10-01,2025-10-31,
follow_up,H1,answered,2025-10-31T23:59:59+01:00,F1,,,
follow_up,H2,planned,2025-09-25T09:00:00+02:00,F2,2025-10-01,2025-10-31,
follow_up,H2,answered,2025-10-15T10:00:00+02:00,F2,,,
revaluation,P1,planned,2025-09-25T09:00:00+02:00,R1,2025-10-01,2025-10-31,
revaluation,P1,answered,2025-11-01T00:00:00+01:00,R1,,,
revaluation,P3,planned,2025-09-25T09:00:00+02:00,R3,2025-10-01,2025-10-31,
revaluation,P3,answered,2025-10-01T00:00:00+02:00,R3,,,
umo_1,H1,communicated,2025-10-31T23:50:00+01:00,E1,,,
umo_1,H1,sent,2025-10-31T23:55:00+01:00,E1,,,U-01
umo_1,H1,access,2025-11-01T00:10:00+01:00,E1,,,U-01
umo_1,H1,finished,2025-11-01T01:00:00+01:00,E1,,,U-01
umo_2,H2,communicated,2025-10-05T10:00:00+02:00,E2,,,
umo_2,H2,cancelled,2025-10-05T10:20:00+02:00,E2,,,
"""


@pytest.fixture
def service(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Register it all."""
    for what, text in FILES.items():
        file = tmp_path / f"{what}.csv"
        file.write_text(text, encoding="utf-8")
        done = vetlla("inventory", "import", "--what", what, file, "--day", "2025-10-31")
        assert done.status == 0, done.error + done.talk
    events = tmp_path / "events.csv"
    events.write_text(EVENTS, encoding="utf-8")
    done = vetlla("duties", "import", events)
    assert done.status == 0, done.error + done.talk
    return vetlla
