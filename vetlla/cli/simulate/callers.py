"""The callers of ``vetlla simulate``: homes invented for a drill, or those of a service's own files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vetlla.cli.accounts import files as account_file
from vetlla.domain.accounts import Account
from vetlla.domain.errors import UsageError
from vetlla.domain.permissions import no_link
from vetlla.settings.section import host_and_port
from vetlla.simulator import drill
from vetlla.store.accounts.columns import COLUMNS, row_from
from vetlla.store.secrets.changes import set_key
from vetlla.store.secrets.keyring import Keyring
from vetlla.tables import delimited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import typer

    from vetlla.domain.signals import Key
    from vetlla.simulator.dialects.dialect import Dialect

HOMES = 10


def receiver_to_dial(ctx: typer.Context) -> Path:
    """Return the state directory whose receiver is dialled. Raises UsageError if the command line names no directory.

    A directory from the configuration or the environment is that of the service. A drill must not open alarms there
    because an option is missing.
    """
    source = ctx.get_parameter_source("state_dir")
    if source is None or source.name != "COMMANDLINE":
        raise UsageError(
            "no receiver is named: homes that dial in open alarms",
            remedy="name it with --to HOST:PORT, or with --state-dir DIR; `vetlla demo` starts one of its own",
        )
    directory: Path = ctx.params["state_dir"]
    return directory


PORT_MAX = 65_535


def address_from(to: str) -> tuple[str, int]:
    """Return host and port of a text HOST:PORT. Raises UsageError."""
    found = host_and_port(to)
    if found is None:
        raise UsageError(f"--to {to}: not HOST:PORT", remedy="such as 127.0.0.1:9009 or [::1]:9009")
    host, port = found
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise UsageError(f"--to {to}: {host!a} is not a host", remedy="such as 127.0.0.1:9009 or [::1]:9009") from error
    if not 1 <= port <= PORT_MAX:
        raise UsageError(f"--to {to}: a port is from 1 to {PORT_MAX}", remedy="`vetlla status` shows the receiver's")
    return host, port


def callers(
    dialect: Dialect, file: Path | None, homes: int | None, encrypt: str, keys_from: Path | None, seed: int
) -> tuple[tuple[Account, ...], dict[str, Key]]:
    """Return the accounts that call and the keys they encrypt with: invented, or those of a service's own files."""
    accounts = drill.homes(homes or HOMES, dialect) if file is None else file_accounts(file)[:homes]
    if not dialect.encrypts and (encrypt not in {"", "none"} or keys_from is not None):
        raise UsageError(f"{dialect.name} has no encryption", remedy="leave --encrypt and --keys-from out")
    if encrypt == "none" or not dialect.encrypts:
        return drill.in_clear(accounts), {}
    if encrypt in {str(bits) for bits in drill.KEY_BITS}:
        return drill.encrypting(accounts, int(encrypt), seed)
    if encrypt:
        # Do not repeat what the user typed, because it may be a key.
        raise UsageError("--encrypt takes the number of bits of the keys", remedy="one of none, 128, 192, 256")
    return accounts, {} if keys_from is None else _read_keys(keys_from)


def file_accounts(file: Path) -> tuple[Account, ...]:
    """Return the accounts of a file with the columns of ``accounts import``. Raises UsageError."""
    return tuple(Account(**entry.place._asdict(), **entry.fields) for entry in account_file.entries(file))


def _read_keys(file: Path) -> dict[str, Key]:
    keyring = Keyring.read(file)
    return {name: keyring.lookup(name)[0] for name in keyring}


def write_files(folder: Path, accounts: Sequence[Account], keys: Mapping[str, Key]) -> None:
    """Write the accounts and keys that a receiver needs to understand these homes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = no_link(folder / "accounts.csv", os.O_TRUNC)
        with os.fdopen(file, "w", encoding="utf-8", newline="") as out:
            delimited.write(out, COLUMNS, ([*row_from(account).values()] for account in accounts))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", remedy="name a directory that can be written") from error
    now = datetime.now(UTC)
    for key in keys.values():
        set_key(folder / "keys.toml", key.name, key.secret, by="vetlla simulate", now=now, drop_old=True)
