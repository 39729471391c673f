"""Verifies a closed month: computes it again from the record as it was known, and compares it to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.closing import KINDS, PARAMETERS, FileRole, InputName
from vetlla.domain.errors import ConfigError, UsageError, VetllaError
from vetlla.domain.month_findings import FindingKind, MonthFinding
from vetlla.service.months.comparing import Removals, compare_inputs, missing
from vetlla.service.months.differences import differences
from vetlla.service.months.sealing import seal_of
from vetlla.store.journal.audit import verify as verify_chain
from vetlla.store.months.journal_inputs import is_ancestor, ledger_from, removed_since
from vetlla.tasks.duties.rules import RuleFiles, rules_from
from vetlla.tasks.months.parts import JSON, PARTS, first_month, made
from vetlla.tasks.months.program import program
from vetlla.tasks.months.record import inputs, ledger_days
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.closing import ClosedFile, ClosedInput, Closing
    from vetlla.service.months.comparing import Missing
    from vetlla.store.journal.archive import Archive
    from vetlla.tasks.months.parts import MonthPart
    from vetlla.tasks.sla.month import MonthRecord

FIELDS_AT_MOST: Final = 100
"""Fields of one result that are named: more of them have one cause, and the inputs say it."""
SHOWN_AT_MOST: Final = 200
"""Characters of a value that are shown."""


def verify(
    state_dir: Path,
    clock: Clock,
    closing: Closing,
    now: RuleFiles | None,
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Iterator[MonthFinding]:
    """Yield what is not as it was when a month was closed; ``now`` are the rules of today, to say how they differ.

    The kept month comes first, then the record, then the results, then what is no fault. ``tell`` hears how many
    records of the audit were checked, and of how many. Raises UsageError or ConfigError for a part that cannot be made
    here, such as a page without typst, although the record is intact.
    """
    yield from _readable("seal", _kept(closing), FindingKind.KEPT)
    rules = closing.of_role(FileRole.RULES)
    try:
        files = RuleFiles(rules[KINDS].content, rules[PARAMETERS].content, KINDS, PARAMETERS)
        parsed = rules_from(files)
    except (KeyError, VetllaError) as error:
        yield MonthFinding(FindingKind.KEPT, "rules", f"the kept rules cannot be read: {error}")
        return
    with month_record(state_dir, clock, parsed, closing.month, closing.known_us) as known:
        record = replace(known, ledger_days=ledger_days(closing.inputs))
        journal = list(_readable(InputName.JOURNAL, _journal(record.archive, closing, tell)))
        yield from journal
        removals = _removals(record.archive, closing)
        differing = list(_readable("record", _inputs(record, closing, removals)))
        yield from differing
        is_changed = any(one.is_fault for one in (*journal, *differing))
        sources = MonthSources(state_dir, clock, record)
        yield from _results(closing, sources, missing(removals, differing), is_changed=is_changed)
    if now is not None:
        yield from _information(closing, now)


def _kept(closing: Closing) -> Iterator[MonthFinding]:
    for file in closing.files:
        if not file.is_intact:
            yield MonthFinding(FindingKind.KEPT, file.name, "its bytes are not those that were kept")
    if closing.seal != seal_of(closing):
        yield MonthFinding(FindingKind.KEPT, "seal", "it does not follow from what is kept")


def _readable(
    subject: str, findings: Iterator[MonthFinding], kind: FindingKind = FindingKind.INPUT
) -> Iterator[MonthFinding]:
    """Yield findings; if something cannot be read, because of a change by hand, that is one more finding."""
    try:
        yield from findings
    except Exception as error:  # noqa: BLE001 - a changed value may stop any reader of it
        yield MonthFinding(kind, subject, f"it cannot be read: {_why(error)}")


def _why(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, VetllaError) else f"{type(error).__name__}: {error}"
    return text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]} ..."


def _inputs(record: MonthRecord, closing: Closing, removals: Removals) -> Iterator[MonthFinding]:
    first = first_month(record, closing.of_role(FileRole.RESULT))
    kept = [one for one in closing.inputs if one.name != InputName.JOURNAL]
    found = [one for one in inputs(record, first) if one.name != InputName.JOURNAL]
    yield from compare_inputs(kept, found, removals)


def _seen_head(closing: Closing) -> ClosedInput | None:
    return next((one for one in closing.inputs if one.name == InputName.JOURNAL), None)


def _journal(archive: Archive | None, closing: Closing, tell: Callable[[int, int], None]) -> Iterator[MonthFinding]:
    """Yield a finding if the journal is not the one that the close saw, or a continuation of it.

    Then each place up to the head that the close saw, in which the audit does not prove the journal. So a change is
    found also in what no figure shows, such as the outcome of an alarm.
    """
    seen = _seen_head(closing)
    if seen is None:
        return
    if archive is None:
        text = "there is none, and there was one when the month was closed"
        yield MonthFinding(FindingKind.INPUT, InputName.JOURNAL, text)
    elif not is_ancestor(archive, seen):
        text = f"its audit has no record {seen.rows} with the hash {seen.digest[:16]} that the close saw"
        yield MonthFinding(
            FindingKind.INPUT, InputName.JOURNAL, f"{text}: an older journal was restored, or it was rewritten"
        )
    if archive is not None:
        yield from _flaws(archive, seen.rows, tell)


def _flaws(archive: Archive, last: int, tell: Callable[[int, int], None]) -> Iterator[MonthFinding]:
    later = 0
    for number, what in verify_chain(archive.read, tell):
        if number > last:
            later += 1
            continue
        yield MonthFinding(FindingKind.INPUT, InputName.JOURNAL, f"record {number} of its audit: {what}")
    if later:
        text = f"its audit has {later} flaws in what came after the close: vetlla audit verify"
        yield MonthFinding(FindingKind.INFORMATION, InputName.JOURNAL, text)


def _removals(archive: Archive | None, closing: Closing) -> Removals:
    seen = _seen_head(closing)
    if seen is None or archive is None:
        return Removals()
    removed = removed_since(archive, seen)
    return Removals(removed.homes, removed.by_age, ledger_from(archive))


def _results(closing: Closing, sources: MonthSources, may_lack: Missing, *, is_changed: bool) -> Iterator[MonthFinding]:
    """Yield what differs in the results that are made again, then which results the month was closed without."""
    kept = closing.of_role(FileRole.RESULT)
    for name, file in kept.items():
        part = PARTS.get(name)
        if part is None:
            yield MonthFinding(FindingKind.INFORMATION, name, "this version of the program does not make it")
            continue
        try:
            content = made(name, part, sources)
        except Exception as error:
            if isinstance(error, ConfigError | UsageError) and not is_changed:
                raise  # this machine lacks something
            yield MonthFinding(FindingKind.FIGURE, name, f"it cannot be made again: {_why(error)}")
            continue
        if content == file.content:
            continue
        if file.media == JSON:
            yield from _values(file, content, part, may_lack)
        else:
            yield _page(name, may_lack, is_same_program=closing.program == program())
    for name in PARTS:
        if name not in kept:
            yield MonthFinding(FindingKind.INFORMATION, name, "the month was closed without it")


def _page(name: str, may_lack: Missing, *, is_same_program: bool) -> MonthFinding:
    """Return that a page for people differs. Its figures are in the results, where each one is compared."""
    if is_same_program:
        text = "it is not the same when it is made again"
        return MonthFinding(FindingKind.FIGURE, name, text, may_lack.homes or may_lack.journal)
    text = "another version of the program or of its typesetter makes other bytes; the figures are in the results"
    return MonthFinding(FindingKind.INFORMATION, name, text)


def _values(file: ClosedFile, again: bytes, part: MonthPart, may_lack: Missing) -> Iterator[MonthFinding]:
    """Yield each field that differs."""
    try:
        before, after = json.loads(file.content), json.loads(again)
    except ValueError:
        yield MonthFinding(FindingKind.FIGURE, file.name, "the kept one is no JSON, so that nothing can be compared")
        return
    is_explained = _is_explained(part, before, after, may_lack)
    found = differences(before, after)
    for one in islice(found, FIELDS_AT_MOST):
        text = f"kept {_shown(one.before)}, computed {_shown(one.after)}"
        yield MonthFinding(FindingKind.FIGURE, f"{file.name} {one.field}", text, is_explained)
    if more := sum(1 for _ in found):
        yield MonthFinding(FindingKind.FIGURE, file.name, f"{more} more fields differ", is_explained)


def _is_explained(part: MonthPart, before: Any, after: Any, may_lack: Missing) -> bool:  # noqa: ANN401 - any JSON
    if part.without_homes is not None and may_lack.homes:
        before, after = part.without_homes(before), part.without_homes(after)
    if part.without_aged is not None and may_lack.journal:
        before, after = part.without_aged(before), part.without_aged(after)
    return bool(before == after)


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]} ..."


def _information(closing: Closing, now: RuleFiles) -> Iterator[MonthFinding]:
    rules = closing.of_role(FileRole.RULES)
    for name, content in ((KINDS, now.kinds), (PARAMETERS, now.parameters)):
        if rules[name].content != content:
            text = "it was changed since; the month was computed with the copy that was kept"
            yield MonthFinding(FindingKind.INFORMATION, name, text)
    if closing.program != program():
        text = f"version {closing.program} closed the month, and {program()} computed it again"
        yield MonthFinding(FindingKind.INFORMATION, "program", text)
