"""Two SIP servers that are not ours: Kamailio, as a centre's edge, and SIPp, which plays a scenario.

Without their Debian packages the tests are skipped, which .ci/run refuses. Their programs end with the test run by
``setpriv``, as those of Kannel do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bench.killing.receiver import free_port
from tests.rigs.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 30.0
REALM = "arc.example"
PASSWORD = "s3cret"
KAMAILIO = """
#!KAMAILIO
children=1
tcp_children=1
log_stderror=yes
debug=1
auto_aliases=no
enable_tls=yes
listen=udp:127.0.0.1:{plain}
listen=tcp:127.0.0.1:{plain}
listen=tls:127.0.0.1:{secure}
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "auth.so"
loadmodule "tls.so"
loadmodule "corex.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", 300)
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "private_key", "{key}")
modparam("tls", "certificate", "{certificate}")

request_route {{
    if ($rU == "closed") {{
        if (!pv_www_authenticate("{realm}", "{password}", "0")) {{
            www_challenge("{realm}", "1");
            exit;
        }}
    }}
    if ($rU == "guarded") {{
        if (!pv_proxy_authenticate("{realm}", "{password}", "0")) {{
            proxy_challenge("{realm}", "1");
            exit;
        }}
    }}
    if ($rU == "busy") {{
        sl_send_reply("503", "Service Unavailable");
        exit;
    }}
    if ($rU == "arc" && {behind} > 0) {{
        $du = "sip:127.0.0.1:{behind}";
        forward();
        exit;
    }}
    if ($rm == "OPTIONS") {{
        sl_send_reply("200", "OK");
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


SIPP_OK = """
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
"""
"""A step of SIPp's scenarios: it answers the request that came last."""


SIPP_REPORT = """
<send retrans="500"><![CDATA[
MESSAGE sip:arc@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[call_number]@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:arc@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 MESSAGE
Content-Type: application/scaip+xml
Content-Length: [len]

<mrq><ref>[call_number]</ref><cid>[call_number]</cid><dty>0003</dty><stc>0010</stc><crd>gsm:</crd></mrq>
]]></send>
<recv response="503" optional="true" next="1"/>
<recv response="200"><action><log message="ACKNOWLEDGED [call_number]"/></action></recv>
<label id="1"/>
"""
"""An alarm of an account of its own, whose acknowledgement is logged."""
SIPP_CONFIRMED = f"""
<recv request="MESSAGE">
<action><ereg regexp="ref.([0-9]+)" search_in="body" assign_to="1,2"/><log message="ANSWERED [$2]"/></action>
</recv>{SIPP_OK}<Reference variables="1"/>
"""
"""Confirms an answer, and logs its reference."""


class Kamailio(NamedTuple):
    """A running Kamailio at 127.0.0.1. The users ``closed`` and ``guarded`` need a password; ``busy`` is not there."""

    plain: int
    """Port of UDP and TCP."""
    secure: int
    """Port of TLS."""
    authority: Path
    """Certificate of the authority that signed its certificate."""


def _program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip(f"needs Debian package {package}")
    return found


@contextmanager
def _running(arguments: list[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (directory / f"{Path(arguments[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *arguments],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Kamailio that is told to end while it still starts waits for ever, and its children keep the ports.
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(process: subprocess.Popen[bytes], directory: Path, ready: list[tuple[str, int]]) -> None:
    """Wait until the program takes connections or, for UDP, has bound its port."""
    until = time.monotonic() + PATIENCE_S
    for transport, port in ready:
        while not _is_open(transport, port):
            if process.poll() is not None or time.monotonic() > until:
                printed = "\n".join(file.read_text(errors="replace")[-2_000:] for file in directory.glob("*.log"))
                pytest.fail(f"a SIP server did not start:\n{printed}")
            time.sleep(0.02)


def _is_open(transport: str, port: int) -> bool:
    table = Path(f"/proc/net/{transport}").read_text(encoding="ascii")
    state = "0A" if transport == "tcp" else "07"
    return any(f"0100007F:{port:04X} 00000000:0000 {state}" in line for line in table.splitlines())


@contextmanager
def running_kamailio(directory: Path, algorithm: str = "", behind: int = 0) -> Iterator[Kamailio]:
    """Run Kamailio during the block. ``algorithm`` is that of its challenges: MD5 if it is empty, or SHA-256.

    What is for the user ``arc`` goes over UDP to the port ``behind``, if that is given.
    """
    program = _program("kamailio", "kamailio-tls-modules")
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority(directory / "ca")
    pair = authority.issue("edge")
    plain, secure = _free_port_of_both(), free_port()
    config = directory / "kamailio.cfg"
    text = KAMAILIO.format(
        realm=REALM, password=PASSWORD, algorithm=algorithm, plain=plain, secure=secure, behind=behind,
        key=pair.key, certificate=pair.certificate,
    )  # fmt: skip
    config.write_text(text.lstrip(), encoding="utf-8")
    arguments = [program, "-f", str(config), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(directory)]
    ready = [("udp", plain), ("tcp", plain), ("tcp", secure)]
    with _running(arguments, directory) as process:
        _await(process, directory, ready)
        yield Kamailio(plain, secure, authority.certificate)
    until = time.monotonic() + PATIENCE_S  # its children may hold the ports for a moment longer
    while any(_is_open(*one) for one in ready):
        assert time.monotonic() < until, "Kamailio has not ended"
        time.sleep(0.02)


@contextmanager
def running_sipp(directory: Path, scenario: str, transport: str = "udp") -> Iterator[int]:
    """Run SIPp with a scenario during the block. Yields its port."""
    program = _program("sipp", "sip-tester")
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "scenario.xml"
    file.write_text(f'<?xml version="1.0"?>\n<scenario name="server">{scenario}</scenario>\n', encoding="utf-8")
    port = _free_port_of_both()
    # SIPp would also open a port of its own for its remote control.
    arguments = [
        program, "-sf", str(file), "-i", "127.0.0.1", "-p", str(port), "-t", "u1" if transport == "udp" else "t1",
        "-nostdin", "-m", "1000", "-cp", str(free_port()), "-trace_err", "-error_file", "sipp-errors.log",
    ]  # fmt: skip
    with _running(arguments, directory) as process:
        _await(process, directory, [(transport, port)])
        yield port


async def call_with_sipp(directory: Path, port: int, scenario: str, answering: str, *, calls: int, tcp: bool) -> int:
    """Let SIPp play a scenario as a client, as often as said; ``answering`` is for requests of the other side.

    Returns the number of its exit: 0 if each call went as the scenario says.
    """
    process = await asyncio.create_subprocess_exec(
        *_calling(directory, port, {"calls.xml": scenario, "other.xml": answering}, calls=calls, tcp=tcp),
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )
    async with asyncio.timeout(PATIENCE_S):
        return await process.wait()


@contextmanager
def reporting_with_sipp(directory: Path, port: int, *, calls: int, rate: int, tcp: bool) -> Iterator[SippTerminals]:
    """Let SIPp report once for each of many accounts, 1 to ``calls``, during the block.

    Over TCP it has one connection, and ends when that breaks.
    """
    scenarios = {"calls.xml": SIPP_REPORT, "other.xml": SIPP_CONFIRMED}
    # _running puts setpriv in front itself.
    _, _, _, *arguments = _calling(directory, port, scenarios, calls=calls, tcp=tcp, rate=rate)
    arguments += ["-trace_logs", "-log_file", "acknowledged.log"]
    with _running(arguments, directory) as process:
        yield SippTerminals(process, directory / "acknowledged.log")


class SippTerminals(NamedTuple):
    """A running SIPp that reports. Its log has a line for each report that was acknowledged, or answered."""

    process: subprocess.Popen[bytes]
    log: Path

    def numbers(self, word: str) -> set[str]:
        """Return the references that were ``ACKNOWLEDGED`` or ``ANSWERED``. SIPp writes the log without delay."""
        if not self.log.exists():
            return set()
        lines = self.log.read_text(errors="replace").splitlines()
        return {line.split()[-1] for line in lines if line.startswith(word)}


def _calling(
    directory: Path, port: int, scenarios: dict[str, str], *, calls: int, tcp: bool, rate: int = 100
) -> list[str]:
    program = _program("sipp", "sip-tester")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in scenarios.items():
        file = directory / name
        file.write_text(f'<?xml version="1.0"?>\n<scenario name="x">{text}</scenario>\n', encoding="utf-8")
    return [
        "setpriv", "--pdeathsig", "KILL", program, f"127.0.0.1:{port}", "-sf", "calls.xml", "-oocsf", "other.xml",
        "-i", "127.0.0.1", "-p", str(_free_port_of_both()), "-t", "t1" if tcp else "u1", "-m", str(calls),
        "-r", str(rate), "-nostdin", "-timeout", "20",
        "-cp", str(free_port()), "-trace_err", "-error_file", "sipp-errors.log",
    ]  # fmt: skip


def _free_port_of_both() -> int:
    """Return a port that is free for UDP and TCP."""
    while True:
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
