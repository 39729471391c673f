"""Finds risks in a configuration that an engineer may not intend; ``vetlla check-config`` shows them.

A risk never prevents the start of the receiver. What prevents it (an unknown key, a key file that others can read, a
missing certificate) is raised as an error. ``vetlla doctor`` checks the machine (room, speed, descriptors).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from vetlla.domain.accounts import PlainPolicy, UnknownPolicy
from vetlla.domain.findings import Finding, Level
from vetlla.receiver.listeners.tls import EXPIRES_SOON
from vetlla.store.secrets.keyring import shared_by_homes, unknown_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from vetlla.domain.accounts import AccountBook
    from vetlla.receiver.listeners.tls import Certificate
    from vetlla.settings.model import Settings
    from vetlla.settings.surfaces import ControlSettings
    from vetlla.store.secrets.keyring import Keyring


def risk(where: str, what: str, remedy: str) -> Finding:
    """Return the finding of a setting that a start accepts although it may do harm."""
    return Finding(check=where, level=Level.WARNING, text=what, remedy=remedy)


def of_files(settings: Settings, files: Iterable[Path]) -> Iterator[Finding]:
    """Yield the risks of the configuration's own files, the state directory and the keys of TLS."""
    for file in files:
        if file.stat().st_mode & 0o022:
            yield risk(str(file), "users other than its owner can change it", f"chmod go-w {file}")
    state_dir = settings.state_dir
    if not state_dir.is_dir():
        yield risk("state_dir", f"{state_dir} does not exist", "the first start creates it, if its parent allows that")
    for listen in settings.listen:
        if listen.tls:
            yield from _of_key(f"listen {listen.name}", listen.tls.key)
    for door in settings.sip:
        if door.tls:
            yield from _of_key(f"sip {door.name}", door.tls.key)
    for broker in settings.mqtt:
        if broker.tls and broker.tls.key:
            yield from _of_key(f"mqtt {broker.name}", broker.tls.key)


def _of_key(where: str, key: Path) -> Iterator[Finding]:
    try:
        shared = key.stat().st_mode & 0o007
    except OSError:
        return  # the start itself refuses such a file
    if shared:
        yield risk(where, f"every user of this machine can read the private key {key}", f"chmod o= {key}")


def of_certificates(certificates: Iterable[Certificate], now: datetime) -> Iterator[Finding]:
    """Yield a risk for each certificate that peers refuse or will soon refuse."""
    for one in certificates:
        if (what := trouble(one, now)) is not None:
            yield risk(one.name, f"{one.file} ({one.use}) {what}", "renew it, then: systemctl reload vetlla")


def trouble(certificate: Certificate, now: datetime, soon: timedelta = EXPIRES_SOON) -> str | None:
    """Return what is wrong with a certificate's dates, as the end of a sentence; None if they are in order."""
    if certificate.not_before > now:
        return f"is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC"
    if certificate.not_after <= now:
        return f"expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    if certificate.not_after - now < soon:
        return f"expires on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    return None


def of_policy(settings: Settings) -> Iterator[Finding]:
    """Yield the risks of the rules that say which reports are accepted, and what each user may do."""
    if settings.intake.plain_for_keyed is PlainPolicy.ACCEPT:
        yield risk(
            "intake.plain_for_keyed",
            "unencrypted frames of accounts with a key are accepted: anyone who knows an account can report for it",
            'set it to "refuse" once all devices encrypt',
        )
    if settings.intake.unknown_accounts is UnknownPolicy.REFUSE:
        yield risk(
            "intake.unknown_accounts",
            "reports of unregistered accounts are refused: a slip in the registry loses an alarm",
            'set it to "accept": an operator then sees such reports',
        )
    if settings.http.enabled and is_public(settings.http.host):
        yield risk("http.host", f"health and metrics are served on {settings.http.host}", "keep it behind a firewall")
    for broker in settings.mqtt:
        if broker.tls is None and is_public(broker.host):
            yield risk(
                f"mqtt {broker.name}",
                f"the reports of homes and the password go to {broker.host} unencrypted",
                "set its tls, as in config/vetlla.toml",
            )
        if settings.store.duplicate_window_s < broker.session_expiry_s:
            yield risk(
                f"mqtt {broker.name}",
                "terminals repeat an event until its receipt comes: after a break longer than store.duplicate_window_s "
                f"({settings.store.duplicate_window_s:g} s) it is stored twice",
                f"set it to session_expiry_s ({broker.session_expiry_s} s)",
            )
    yield from _of_roles(settings.control)


def is_public(host: str) -> bool:
    """Return True if a host is not this machine itself."""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _of_roles(control: ControlSettings) -> Iterator[Finding]:
    if control.mode & 0o002 and not control.operators:
        yield risk("control.mode", "every user of this machine can work on alarms", "name a group in control.operators")


def of_accounts(book: AccountBook, keyring: Keyring) -> Iterator[Finding]:
    """Yield the risks of the registered accounts and keys."""
    if windowless := [account.account for account in book if account.clock_window is None]:
        yield risk(
            "accounts",
            f"{len(windowless)} have no clock window ({_some(windowless)}): old encrypted frames can be replayed",
            "vetlla accounts set ACCOUNT --clock-window standard, or a wide one such as -300..300",
        )
    for name, count in unknown_names(keyring, (account.key_name for account in book)).items():
        yield risk("accounts", f"{count} use the missing key {name} and cannot report", f"vetlla keys set {name}")
    if shared := shared_by_homes(book):
        yield risk(
            "keys",
            f"{len(shared)} are used by several homes ({_some(sorted(shared))}): "
            "a frame of one home can pass for another's",
            "give each home a key of its own: vetlla keys list shows how many homes use each",
        )
    if padded := sorted(name for name, key in keyring.items() if key.long_pad):
        yield risk(
            "keys",
            f"{_some(padded)}: frames with a whole block of pad are accepted, but the block after it can be changed",
            "vetlla keys pad NAME --short, unless its terminals need this form for their heartbeats",
        )
    for name, key in keyring.items():
        if key.previous:
            yield risk(
                "keys", f"{name} is being rotated since {key.since:%Y-%m-%d}", f"vetlla keys rotate {name} --finish"
            )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
