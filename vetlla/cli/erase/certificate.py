"""The certificate of an erasure says what was destroyed, by which person and when, and which audit record proves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vetlla import __version__
from vetlla.domain.clock import iso
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.plainfile import open_input
from vetlla.store.erasure import alarms_since, record_of
from vetlla.store.journal.audit import ERASED, Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vetlla.domain.removal import ProofFields
    from vetlla.store.journal.audit_comparison import Read

FORM = "vetlla-erasure-1"
SIZE_MAX = 1 << 20
"""Most bytes of a certificate; a usual one has a few hundred."""
WORDS = {
    "signals": "signals: account, home, device, text, places, bytes and times of the device",
    "raw": "of these, signals with their bytes",
    "positions": "of these, signals with a place",
    "alarms": "alarms: home, account and text",
    "notes": "notes of operators",
    "rejects": "reports that were refused or could not be read",
    "tests": "tests of its accounts",
    "pauses": "pauses of its supervision",
    "cards": "card of the home: people, entrance, contacts, instructions",
    "people": "people: their codes and notes",
    "homes": "entries of the home: telephones, language, living alone",
    "notes_of_movements": "notes of its devices' movements",
    "notes_of_duties": "notes of duties about the home, its people, and its devices while they were in it",
    "details_of_duties": "events of these duties: free details; codes, numbers and days stay",
    "visits": "planned visits",
    "calls": "calls: telephone numbers",
    "recordings": "calls: names of recordings; the recordings themselves have to be deleted in the PBX",
}
"""What each count counts."""
KEPT = (
    "number, kind, priority, protocol and stamps of signals; stamps, t2, t3 and outcome of alarms; all without a home",
    "audit records: they name the code of the home, its accounts and operators",
    "code, district, base, support level and periods of the home; devices and movements; the history of accounts",
    "user type and days in service, suspension and programmes of its people, each under a number instead of the code",
    "who read the card of the home and when, by its code",
    "duties about the home and its people: events, times, references, codes and days, without notes and free texts",
    "times, agent, outcome and recording's hash of calls, with the code of the home",
    "the days of each terminal in the ledger of supervision, by account",
)
"""What stays, because the contract needs it as proof."""


def made(home: str, proof: ProofFields) -> dict[str, Any]:
    """Return a certificate."""
    return {"form": FORM, "home": home, "version": __version__, **proof, "kept": list(KEPT)}


def lines(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the counts as lines for people; counts of 0 are left out."""
    for name, count in counts.items():
        if count:
            yield f"{count:>9,}  {WORDS.get(name, name)}"


def write(content: Mapping[str, Any], document: Path, page: Path) -> None:
    """Write a certificate to ``document`` for machines and to ``page`` for people."""
    document.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    page.write_text("\n".join(_page(content)) + "\n", encoding="utf-8")


def _page(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"CERTIFICATE OF DESTRUCTION: home {content['home']}"
    yield ""
    period = f"from {content['began']} to {content['ended']}"
    yield f"Destroyed by {content['by']}, {period}, with Vetlla {content['version']}."
    yield ""
    yield "What was destroyed, in rows:"
    yield from lines(content["destroyed"])
    if content["left"]:
        yield ""
        yield (
            f"NOT destroyed: {content['left']:,} signals that were changed after their commit (vetlla audit verify),"
            " or that came meanwhile"
        )
    yield ""
    yield "What stays:"
    for one in content["kept"]:
        yield f"  - {one}"
    yield ""
    yield "Copies made before (vetlla db backup, files of inventory and accounts) are not part of this."
    if not content["log_emptied"]:
        yield "A reader was using the journal's log; what is stored next overwrites the log."
    yield ""
    yield f"Proof: audit record {content['record']}, head of the chain {content['head']}"
    yield "To check it: vetlla erase --check FILE.json, and vetlla audit verify --expect HEAD"


def read(path: Path) -> dict[str, Any]:
    """Return the certificate in a file. Raises UsageError if the file holds no certificate."""
    try:
        with open_input(path) as file:
            content = json.loads(file.read(SIZE_MAX))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}", remedy="check the name of the file") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a certificate of an erasure", remedy="name the .json file of one") from error
    if not isinstance(content, dict) or content.get("form") != FORM:
        raise UsageError(f"{path}: not a certificate of an erasure", remedy="name the .json file of one")
    return content


def flaws(content: Mapping[str, Any], read_rows: Read) -> Iterator[str]:
    """Yield each statement of a certificate that the journal does not prove."""
    try:
        head = Head.parse(str(content.get("head")))
    except UsageError:
        yield "it names no head of an audit chain"
        return
    row = record_of(read_rows, head.id, head.hash)
    if row is None or content.get("record") != head.id:
        yield f"the audit has no record {content.get('record')} with this hash"
        return
    detail = json.loads(row["detail"])
    proven = {
        "home": row["subject"].removeprefix("home ") if row["action"] == ERASED else None,
        "by": row["actor"],
        "ended": iso(row["at_us"]),
        "began": detail.get("began"),
        "destroyed": detail.get("destroyed"),
        "left": detail.get("left"),
    }
    for name, value in proven.items():
        if content.get(name) != value:
            yield f"{name}: the certificate says {content.get(name)}, the audit {value}"
    if again := alarms_since(read_rows, str(content.get("home"))):
        yield f"{again} alarms of home {content.get('home')} came after the erasure"
