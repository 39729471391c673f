"""``vetlla keys`` keeps the shared keys of devices that encrypt. It takes keys in and never shows one."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, KeysFile, StateDir, keys_path
from vetlla.cli.kit.output import console, counted, print_json, print_rows, talk
from vetlla.cli.kit.reload_receiver import reload_receiver
from vetlla.domain.clock import SystemClock, to_us
from vetlla.domain.errors import UsageError, VetllaError
from vetlla.domain.plainfile import open_input
from vetlla.store.accounts.columns import key_named
from vetlla.store.accounts.table import account_book
from vetlla.store.registry.registry import reading
from vetlla.store.secrets.changes import finish_rotation, remove_key, rotate_key, set_key, set_long_pad, write_secret
from vetlla.store.secrets.keyring import Keyring, shared_by_homes
from vetlla.store.secrets.text import Form, parse_secret
from vetlla.tables.source import STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.accounts import AccountBook

app = typer.Typer(help="Keep the shared keys of devices that encrypt; no key is ever printed.", no_args_is_help=True)

LONGEST_INPUT = 4_096
"""Most bytes that are read where one key is expected, so that a wrong file is noticed and not read whole."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, as accounts give it in key_name.")]
AsHex = Annotated[bool, typer.Option("--hex", help="The key is written as 32, 48 or 64 hex digits.")]
AsText = Annotated[bool, typer.Option("--text", help="The key is written as 16, 24 or 32 characters.")]
FromFile = Annotated[
    Path | None,
    typer.Option(
        "--from-file", metavar="FILE|-", readable=False, help="Read the key from this file; - for standard input."
    ),
]


class Given(NamedTuple):
    """Options that say how a key is given."""

    as_hex: AsHex = False
    as_text: AsText = False
    from_file: FromFile = None


class KeyPlace(NamedTuple):
    """Options of every change: the place of the keys, and the form of the answer."""

    state_dir: StateDir = DEFAULT_STATE_DIR
    keys_file: KeysFile = None
    as_json: AsJson = False

    def path(self) -> Path:
        """Return the keys file."""
        return keys_path(self.keys_file, self.state_dir)


@app.command("set")
@with_option_groups
def set_one(
    *,
    name: Name,
    given: Given,
    drop_old: Annotated[
        bool, typer.Option("--replace", help="Drop an old key of that name at once: its devices are cut off.")
    ] = False,
    where: KeyPlace,
) -> None:
    """Keep a key under a name. The key is read from --from-file, stdin or a prompt, never from an argument.

    Example: vetlla keys set north --hex --from-file north.key
    """
    _check_name(name)
    path = where.path()
    secret = _secret(given)
    changed = set_key(path, name, secret, by=actor(), now=_now(), drop_old=drop_old)
    _answer(name, "set" if changed else "unchanged", path, where)


@app.command("rotate")
@with_option_groups
def rotate(
    *,
    name: Name,
    finish: Annotated[bool, typer.Option("--finish", help="All devices have the new key: drop the old one.")] = False,
    given: Given,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a random key; it is written to --out only.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", readable=False, help="New file for the generated key.")
    ] = None,
    where: KeyPlace,
) -> None:
    """Give a name a new key and keep the old one until --finish, so that devices can change over one by one.

    Signals show which key opened them; the old one is shown as NAME~previous. A generated key is as long as the old
    one. It is written as hex digits to a file that only you can read.

    Example: vetlla keys rotate north --generate --out north-2027.key
    """
    _check_name(name)
    path = where.path()
    if finish:
        _refuse(any(given) or generate or out is not None, "--finish takes no key")
        finish_rotation(path, name)
        _answer(name, "rotation finished", path, where)
        return
    _refuse(generate != (out is not None), "--generate and --out go together")
    _refuse(out == STANDARD, "a generated key is not printed: --out names a new file")

    def change(secret: bytes) -> None:
        rotate_key(path, name, secret, by=actor(), now=_now())

    if out:
        _refuse(any(given), "a generated key is not read from a file or a prompt")
        _generate(path, name, out, change)
    else:
        change(_secret(given))
    _answer(name, "rotating", path, where)


@app.command("pad")
@with_option_groups
def pad(
    *,
    name: Name,
    long_pad: Annotated[bool, typer.Option("--long/--short", help="Trust a whole block of pad in front, or do not.")],
    where: KeyPlace,
) -> None:
    """Trust DC-09 frames that begin with a whole block of pad, as terminals of the 2026 edition send them.

    An attacker on the line can change the block behind such a pad unnoticed. Without --long these frames are doubtful:
    the receiver takes them, and puts them before an operator as unreadable.

    Example: vetlla keys pad north --long
    """
    _check_name(name)
    path = where.path()
    changed = set_long_pad(path, name, long_pad=long_pad)
    what = f"{'long' if long_pad else 'short'} pads" if changed else "unchanged"
    _answer(name, what, path, where)


@app.command("remove")
@with_option_groups
def remove(
    *,
    name: Name,
    where: KeyPlace,
) -> None:
    """Remove a key that no account uses.

    Example: vetlla keys remove north
    """
    _check_name(name)
    if users := _users(_accounts(where.state_dir))[name]:
        raise UsageError(
            f"{users} accounts use key {name}", remedy=f"vetlla accounts list --key-name {name} shows them"
        )
    path = where.path()
    remove_key(path, name)
    _answer(name, "removed", path, where)


@app.command("list")
def list_keys(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    keys_file: KeysFile = None,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the keys: name, size, when and by which user each was set, rotation, pad, and how many accounts use it.

    The command warns of a key that several homes share, because a sealed frame does not say which home sent it.

    Example: vetlla keys list --json
    """
    path = keys_path(keys_file, state_dir)
    keyring = Keyring.read(path) if path.exists() else Keyring({})
    accounts = _accounts(state_dir)
    users = _users(accounts)
    rows = (
        {
            "name": name,
            "bits": len(key.current) * 8,
            "since": f"{key.since:%Y-%m-%dT%H:%M:%SZ}" if as_json else to_the_second(to_us(key.since)),
            "by": key.by,
            "rotating": key.previous is not None,
            "pad": "long" if key.long_pad else "short",
            "accounts": users.pop(name, 0),
        }
        for name, key in sorted(keyring.items())
    )
    print_rows(rows, ("name", "bits", "since", "by", "rotating", "pad", "accounts"), as_json=as_json)
    for name, count in sorted(users.items()):
        talk().print(f"warning: key {name} of {counted(count, 'account')} is not in {path}", style="yellow")
    for name, count in sorted(shared_by_homes(accounts).items()):
        talk().print(
            f"warning: {count} homes share key {name}: give each one of its own, because a sealed frame does not say "
            "which of them sent it",
            style="yellow",
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _refuse(condition: bool, message: str) -> None:
    if condition:
        raise UsageError(message, remedy="vetlla keys rotate --help")


def _check_name(name: str) -> None:
    try:
        key_named(name)
    except ValueError as error:
        raise UsageError(f"the key's name {error}", remedy="vetlla keys set north --hex, then paste the key") from error


def _secret(given: Given) -> bytes:
    if given.as_hex and given.as_text:
        raise UsageError(
            "--hex and --text exclude each other", remedy="give the form in which the device's maker writes the key"
        )
    form = Form.HEX if given.as_hex else Form.TEXT if given.as_text else None
    return parse_secret(_input(given.from_file).removesuffix("\n").removesuffix("\r"), form)


def _input(from_file: Path | None) -> str:
    try:
        if from_file and from_file != STANDARD:
            with open_input(from_file) as file:
                content = file.read(LONGEST_INPUT)
        elif from_file is None and sys.stdin.isatty():
            typed: str = typer.prompt("Key (not shown)", hide_input=True, err=True)
            return typed
        else:
            content = sys.stdin.buffer.read(LONGEST_INPUT)
        return content.decode("ascii")
    except PermissionError as error:
        raise UsageError(f"{from_file}: {error.strerror}", remedy="name a file that you may read") from error
    except OSError as error:
        # Leave out the name, and the cause that holds it: the user may have typed the key in place of the file's name.
        remedy = "name an existing file; the key itself is typed or piped in"
        raise UsageError(f"--from-file: {error.strerror}", remedy=remedy) from None
    except UnicodeDecodeError:
        # Leave out the cause, because it holds what was read.
        raise UsageError(
            "the key is not plain text", remedy="give it as hex digits; a binary key: xxd -p -c 64 FILE"
        ) from None


def _generate(path: Path, name: str, out: Path, change: Callable[[bytes], None]) -> None:
    """Write the new key to ``out`` before it counts: without a copy of the key, devices would be cut off."""
    keyring = Keyring.read(path) if path.exists() else Keyring({})
    secret = secrets.token_bytes(len(keyring[name].current) if name in keyring else 16)
    write_secret(out, secret)
    try:
        change(secret)
    except VetllaError:
        out.unlink()
        raise


def _accounts(state_dir: Path) -> AccountBook:
    with reading(state_dir, SystemClock()) as registry:
        return account_book(registry)


def _users(accounts: AccountBook) -> Counter[str]:
    return Counter(account.key_name for account in accounts if account.key_name)


def _answer(name: str, what: str, path: Path, where: KeyPlace) -> None:
    reloaded = what != "unchanged" and reload_receiver(where.state_dir, keys_file=path)
    if where.as_json:
        print_json({"name": name, "result": what, "keys_file": str(path), "receiver_told": reloaded})
    else:
        console().print(f"key {name}: {what} ({path})")
