"""Watches and pendants of the GSM protocols at the running daemon: routine messages hide no call for help."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import PATIENCE_S, Daemon, running
from tests.rigs.registered_homes import register

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCH, OTHER_WATCH, BRACELET, OLDEST = "353512345678905", "353512345678913", "1234567890", "359231030000010"
VERSIONS = {"80201E0100": "860201067999990", "F30101": "860201067999991", "BD0214AB": "860201067999992"}
ACCOUNTS = (WATCH, OTHER_WATCH, BRACELET, OLDEST, *VERSIONS.values())
HOMES = {account: f"H{number:04}" for number, account in enumerate(ACCOUNTS, 1)}
PROTOCOLS = ("thinkrace", "queclink", "watch3g")
LISTENERS = "".join(f'[[listen]]\nprotocol = "{name}"\nhost = "127.0.0.1"\nport = 0\n' for name in PROTOCOLS)
FIX = "2.171111,41.387111,20261126093749,0214,0007,1807,00775892"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run a daemon that listens for three protocols, with a registered home for each device."""
    directory = tmp_path_factory.mktemp("gsm")
    register(directory / "state", *(f"{account},{home},," for account, home in HOMES.items()))
    with running(directory, config=f"[store]\nmin_free_mib = 1\n{LISTENERS}") as started:
        yield started


def say(daemon: Daemon, protocol: str, *messages: str) -> bytes:
    """Send messages over one connection, each after the answer to the one before; return the last answer."""
    port = next(place["port"] for place in daemon.status()["listening"] if place["protocol"] == protocol)
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        answer = b""
        for message in messages:
            connection.sendall(message.encode())
            answer = connection.recv(256)
        return answer


def alarms(daemon: Daemon, account: str) -> list[dict[str, Any]]:
    """Return the open alarms of a device's home, in the queue's order."""
    return [alarm for alarm in daemon.queue() if alarm["home"] == HOMES[account]]


def bracketed(content: str) -> str:
    return f"[3G*{BRACELET}*{len(content):04X}*{content}]"


def test_readings_of_a_watch_open_no_alarm_and_its_fall_opens_one(daemon: Daemon) -> None:
    """Six pulse readings open no alarm. The fall after them opens a LIFE alarm and is answered."""
    readings = [f"IWAPJK,2026-11-29 09:0{n}:00,2,7{n}#" for n in range(6)]
    assert say(daemon, "thinkrace", f"IWAP00{WATCH}#", *readings) == b"IWBPJK,2#"
    assert alarms(daemon, WATCH) == []
    assert say(daemon, "thinkrace", f"IWAP00{WATCH}#", f"IWAPFD,{WATCH},20261129090500#") == b"IWBPFD#"
    (alarm,) = alarms(daemon, WATCH)
    assert (alarm["priority"], alarm["kind"], alarm["account"]) == ("LIFE", "fall", WATCH)


def test_unknown_reports_hide_no_fall(daemon: Daemon) -> None:
    """A fall after six unknown reports, which are TECHNICAL, opens its own LIFE alarm."""
    assert say(daemon, "thinkrace", f"IWAP00{OTHER_WATCH}#", *["IWAPQQ,1#"] * 6) == b"IWBPQQ#"
    assert {alarm["priority"] for alarm in alarms(daemon, OTHER_WATCH)} == {"TECHNICAL"}
    assert say(daemon, "thinkrace", f"IWAPFD,{OTHER_WATCH},20261129090500#") == b"IWBPFD#"
    alarm, line = alarms(daemon, OTHER_WATCH)
    assert (alarm["priority"], alarm["kind"], alarm["signals"]) == ("LIFE", "fall", 1)
    assert (line["priority"], line["kind"], line["signals"]) == ("TECHNICAL", "unknown", 6)


@pytest.mark.parametrize(("version", "account"), VERSIONS.items())
def test_a_pendant_of_any_version_is_recognised(daemon: Daemon, version: str, account: str) -> None:
    """The alarm belongs to the pendant's home, not to an address without an account (Q1-8)."""
    sos = f"+RESP:GTSOS,{version},{account},,,00,1,1,0.0,0,30.2,{FIX},00,0.0,20261126093750,0101$"
    assert say(daemon, "queclink", sos) == b"+SACK:0101$"
    (alarm,) = alarms(daemon, account)
    assert (alarm["priority"], alarm["kind"], alarm["account"]) == ("LIFE", "personal_emergency", account)


def test_the_oldest_pendants_are_answered_in_their_own_form(daemon: Daemon) -> None:
    """A GL100 repeats a report until it reads +SRVACK, and its heartbeat has another answer."""
    heartbeat = f"AT+GTHBD=HeartBeat,{OLDEST},20261126093750,11F0,0102120204\0"
    sos = f"+RESP:GTSOS,{OLDEST},0,0,0,1,0.0,0,30.2,1,{FIX},00,11F1,0102120204\0"
    assert say(daemon, "queclink", heartbeat).startswith(b"+RESP:GTHBD,GPRS ACTIVE,HeartBeat,")
    assert say(daemon, "queclink", heartbeat, sos) == b"+SRVACK:11F1\0"
    (alarm,) = alarms(daemon, OLDEST)
    assert (alarm["priority"], alarm["kind"]) == ("LIFE", "personal_emergency")


def test_reports_about_the_watch_itself_hide_no_sos(daemon: Daemon) -> None:
    """Messages about its SIM card and contacts open no alarm. A short-form SOS after them opens one."""
    about = [bracketed(said) for said in ("ICCID,8934012345678901234", "APPCONTACTTEL,0")]
    assert say(daemon, "watch3g", *about).endswith(b"APPCONTACTTEL,0]")
    assert alarms(daemon, BRACELET) == []
    sos = bracketed("AL,291126,090500,A,41.387111,N,2.171111,E,0,0,00010000")
    assert say(daemon, "watch3g", sos) == f"[3G*{BRACELET}*0002*AL]".encode()
    (alarm,) = alarms(daemon, BRACELET)
    assert (alarm["priority"], alarm["kind"]) == ("LIFE", "personal_emergency")
