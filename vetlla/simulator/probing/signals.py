"""Sends a real test report as a home does: over DC-09, a broker, or the automation output of a line receiver.

Each signal is a periodic test, which the receiver answers, stores, and never shows to an operator as an alarm.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vetlla.domain.accounts import Account
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.links.wire.way import Connect
from vetlla.protocols.automation.talker import ANSWER_MOST_S, HEARTBEAT_MOST_S, Patience
from vetlla.settings.secret import read_secret
from vetlla.settings.section import host_and_port
from vetlla.simulator.dialling.line import trust
from vetlla.simulator.drive import drive
from vetlla.simulator.line_receiver.calls import Calls
from vetlla.simulator.line_receiver.plan import ReceiverCounts, ReceiverPlan
from vetlla.simulator.line_receiver.run import report
from vetlla.simulator.message import Fate
from vetlla.simulator.mqtt.fleet import EventFate, Fleet
from vetlla.simulator.mqtt.plan import Plan
from vetlla.simulator.probing.attempt import acknowledged, failed, timed_out
from vetlla.simulator.scenario import Connection, Scenario, Transport
from vetlla.simulator.statistics import Counts
from vetlla.simulator.weights import Mix
from vetlla.store.secrets.keyring import Keyring

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.errors import LinkError
    from vetlla.domain.signals import Key
    from vetlla.settings.probes import Dc09Component, LineComponent, MqttComponent
    from vetlla.simulator.message import Message
    from vetlla.simulator.mqtt.fleet import Event
    from vetlla.simulator.probing.attempt import Attempt, Prober

TESTS: Final = Mix.parse("tests=1")
"""Only periodic tests: Contact ID 602, SIA RP, device type 0002 with status 0102."""


def dc09(component: Dc09Component) -> Prober:
    """Return what sends a test over DC-09. Raises ConfigError or UsageError for a key, a file or an account."""
    host, port = _address(component.to)
    keys = _keys(component)
    account = Account(
        account=component.account,
        receiver=component.receiver,
        line=component.line,
        key_name=component.key or "",
    )

    if component.transport == "tls":
        trust(str(component.ca) if component.ca else None)
    planned = Scenario(
        host=host,
        port=port,
        accounts=(account,),
        keys=keys,
        reports=1,
        transport=Transport(component.transport),
        connection=Connection.EACH,
        mix=TESTS,
        timeout_s=component.timeout_s,
        attempts=component.tries,
        trusted=str(component.ca) if component.ca else None,
    )

    async def probe() -> Attempt:
        counts = Counts()
        settled: list[Message] = []
        scenario = replace(planned, seed=time.time_ns())
        await drive(scenario, settled=settled.append, counts=counts, drain_s=0)
        fate = settled[0].fate if settled else Fate.LOST
        if fate is Fate.ACKNOWLEDGED:
            return acknowledged()._replace(ended_ns=settled[0].settled_ns)
        if fate is Fate.REFUSED:
            return failed("the receiver refused the report (DUH)")
        if counts.malformed:
            return failed("the answer had a wrong checksum, account or encryption")
        if counts.dropped:
            return failed(f"no connection to {component.to} ({component.transport}), or it broke")
        return timed_out(component.timeout_s, component.tries)

    return probe


def mqtt(component: MqttComponent) -> Prober:
    """Return what publishes a test event at a broker and waits for the receiver's receipt. Raises ConfigError."""
    host, port = _address(component.to)
    secret, name = component.password_file, f"component {component.name}"
    password = read_secret(secret, name) if secret else None
    tls = tls_context(component.ca, name) if component.ca else None

    async def probe() -> Attempt:
        settled: list[tuple[Event, int]] = []
        plan = Plan(
            host=host,
            port=port,
            terminals=(component.account,),
            mix=TESTS,
            connections=1,
            messages=1,
            timeout_s=component.timeout_s,
            attempts=component.tries,
            seed=time.time_ns(),
            last_will=False,
            username=component.username,
            password=password,
            tls=tls,
        )
        fleet = Fleet(plan, settled=lambda event: settled.append((event, time.monotonic_ns())))
        counts = await fleet.run()
        fate, ended_ns = (settled[0][0].fate, settled[0][1]) if settled else (EventFate.LOST, 0)
        if fate is EventFate.ACCEPTED:
            return acknowledged()._replace(ended_ns=ended_ns)
        if fate is EventFate.REFUSED:
            return failed("the receiver refused the event")
        if not counts.connections:
            return failed(f"no connection to the broker {component.to}")
        return timed_out(component.timeout_s, component.tries)

    return probe


def line(component: LineComponent) -> Prober:
    """Return what sends a test as a line receiver does, over TCP. Raises UsageError for an account it cannot write."""
    host, port = _address(component.to)
    answer_s = min(component.timeout_s, ANSWER_MOST_S)

    planned = ReceiverPlan(
        protocol=component.protocol,
        accounts=(component.account,),
        receiver=component.receiver,
        lines=1,
        patience=Patience(answer_s=answer_s, tries=component.tries, heartbeat_s=HEARTBEAT_MOST_S),
        reports=1,
        duration_s=component.timeout_s * component.tries,
        mix=TESTS,
    )
    Calls(planned)

    async def probe() -> Attempt:
        settled: list[Message] = []
        errors: list[LinkError] = []
        counts = ReceiverCounts()
        plan = replace(planned, first_serial=int(time.time()))
        await report(
            plan,
            Connect(host, port),
            stop=asyncio.Event(),
            counts=counts,
            settled=settled.append,
            failed=errors.append,
            drain_s=0,
        )
        if settled and settled[0].fate is Fate.ACKNOWLEDGED:
            return acknowledged()._replace(ended_ns=settled[0].settled_ns)
        if counts.talker.refused:
            return failed("the computer refused the report (NAK)")
        if errors and not counts.connections:
            return failed(str(errors[-1].args[0]))
        return timed_out(component.timeout_s, component.tries)

    return probe


def tls_context(authority: Path | None, name: str) -> ssl.SSLContext:
    """Return a context that checks the certificate of a server. Raises ConfigError for a file that cannot be used."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:  # ssl.SSLError is a subclass
        raise ConfigError(
            f"{name}: {authority}: {error.strerror or error}", remedy="name a PEM file with ca"
        ) from error


def _address(to: str) -> tuple[str, int]:
    found = host_and_port(to)
    assert found is not None, "the settings have checked it"
    return found


def _keys(component: Dc09Component) -> dict[str, Key]:
    if component.key is None or component.keys_file is None:
        return {}
    keyring = Keyring.read(component.keys_file)
    if component.key not in keyring:
        raise UsageError(
            f"component {component.name}: {component.keys_file} has no key {component.key}",
            remedy="set it there: vetlla keys set",
        )
    return {component.key: keyring.lookup(component.key)[0]}
