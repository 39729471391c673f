"""The four ways in which public clients of Orchestra are let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.qmatic import TOMORROW, calendar, orchestra
from vetlla.domain.errors import ConfigError
from vetlla.gateways.contracts import RefusedError
from vetlla.gateways.qmatic.access import Access, ApiKey, AuthToken, Basic, Door, Session
from vetlla.gateways.qmatic.client import Connection, QmaticClient
from vetlla.simulator.qmatic.doors import Doors

if TYPE_CHECKING:
    from pathlib import Path

DOORS = Doors()
GOOD: list[Access] = [
    Basic(DOORS.user, DOORS.password),
    AuthToken(DOORS.auth_token),
    ApiKey(DOORS.api_key),
    Session(DOORS.user, DOORS.password),
]
WRONG: list[Access | None] = [Basic("simulat", "no"), AuthToken("no"), ApiKey("no"), Session("simulat", "no"), None]


@pytest.mark.parametrize("access", GOOD, ids=lambda one: type(one).__name__)
async def test_each_way_lets_a_client_in(access: Access) -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator, way={"access": access})
        for _ in range(2):
            assert (await reader.poll("1", TOMORROW, TOMORROW)).is_complete


@pytest.mark.parametrize("access", WRONG, ids=lambda one: type(one).__name__)
async def test_wrong_credentials_are_refused_and_not_told(access: Access | None) -> None:
    async with orchestra() as simulator:
        with pytest.raises(RefusedError) as caught:
            await calendar(simulator, way={"access": access}).poll("1", TOMORROW, TOMORROW)
        assert caught.value.code == "401"
        assert "password" in caught.value.remedy


async def test_a_session_sends_its_password_once() -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator, way={"access": Session(DOORS.user, DOORS.password)})
        await reader.poll("1", TOMORROW, TOMORROW)
        simulator.doors.user = ""  # from now on only the cookie opens
        assert (await reader.poll("1", TOMORROW, TOMORROW)).is_complete


async def test_a_session_that_ended_is_begun_again() -> None:
    async with orchestra() as simulator:
        reader = calendar(simulator, way={"access": Session(DOORS.user, DOORS.password)})
        await reader.poll("1", TOMORROW, TOMORROW)
        simulator.doors.forget()
        assert (await reader.poll("1", TOMORROW, TOMORROW)).is_complete
        assert [status for _, _, status in simulator.calls] == [200, 401, 200]


def test_no_secret_is_shown() -> None:
    assert "geheim" not in repr([Basic("u", "geheim"), Session("u", "geheim"), AuthToken("geheim"), ApiKey("geheim")])


def test_a_cookie_that_would_break_a_header_is_not_kept() -> None:
    door = Door(Session("u", "p"))
    for cookie in ("", "x" * 5_000, "a\r\nX: y"):
        door.admitted({"SSOcookie": cookie})
        assert "Authorization" in door.headers()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "qmatic.example",
        "ftp://qmatic.example",
        "https://",
        "https://u:geheim@h",
        "https://h?key=geheim",
        "http://[x",
    ],
)
def test_a_url_that_cannot_be_one_is_a_fault_of_the_settings_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        QmaticClient(Connection(url=url))
    assert "geheim" not in str(caught.value)


async def test_certificates_that_are_not_there_are_a_fault_of_the_settings(tmp_path: Path) -> None:
    client = QmaticClient(Connection(url="https://127.0.0.1:9", ca_file=tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match="No such file"):
        await client.get("/")
