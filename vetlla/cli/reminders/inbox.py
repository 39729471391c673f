"""``vetlla reminders inbox``: replies that the program did not understand, for a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.options import AsJson, DryRun
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.reminders.database import Phones, ReplyNumber, database, now, phone_shown, shown_time, stamp
from vetlla.cli.reminders.lines import asked_in, read_lines
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, OfficesFile, StateDir, TextsFolder, known_settings
from vetlla.domain.errors import UsageError
from vetlla.store.sqlite.faults import disk_errors
from vetlla.tasks.reminders.desk import inbox, teaching
from vetlla.tasks.reminders.desk.inbox import Verdict
from vetlla.tasks.reminders.desk.teaching import RecordedReply, Teachable
from vetlla.tasks.reminders.wording import office_words

if TYPE_CHECKING:
    from vetlla.service.reminders.replies import Understood
    from vetlla.tasks.reminders.desk.inbox import Closed, Waiting
    from vetlla.tasks.reminders.desk.teaching import Reread, Taught

app = typer.Typer(no_args_is_help=True, help="Work on replies that the program did not understand.")

COLUMNS = ("reply", "received", "channel", "kind", "phone", "text", "appointments", "answer_until")
SUGGESTIONS = "suggestions"
"""Folder of suggestions in the state directory."""
CHANGES_SHOWN = 20
"""Most changed readings that a person is shown; --json has all."""


@app.command("list")
def list_inbox(
    *,
    limit: Limit = None,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the replies that wait for a person, the oldest first, with the sender's appointments.

    After answer_until WhatsApp takes no free message for the sender any more.

    Example: vetlla reminders inbox list
    """
    with database(state_dir) as db:
        found = inbox.waiting(db, now())
    rows = (_row(one, phones=phones, as_json=as_json) for one in found)
    print_some(rows, COLUMNS, limit, as_json=as_json)


def _row(one: Waiting, *, phones: bool, as_json: bool) -> dict[str, Any]:
    reply = one.entry.reply.reply
    when = stamp if as_json else shown_time
    theirs = [
        {
            "appointment": "/".join(kept.appointment.key),
            "office": kept.appointment.office,
            "start": when(kept.appointment.start),
            "confirmed": kept.is_confirmed,
            "cancelled": kept.is_cancelled,
        }
        for kept in one.appointments
    ]
    return {
        "reply": one.entry.reply.id,
        "received": when(reply.at),
        "channel": reply.channel.value,
        "kind": reply.kind.value,
        "phone": phone_shown(reply.phone, whole=phones),
        "text": reply.text,
        "language": one.language or None,
        "why": one.entry.why,
        "opened": when(one.entry.opened_at),
        "answer_until": when(one.answer_until),
        "appointments": theirs if as_json else "; ".join(f"{its['appointment']} {its['start']}" for its in theirs),
    }


@app.command("answer")
def answer_reply(
    number: ReplyNumber,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What the citizen reads.", show_default=False)] = "",
    *,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="KEY", help="The citizen confirms this appointment of the list.")
    ] = "",
    cancel: Annotated[
        str, typer.Option("--cancel", metavar="KEY", help="The citizen cancels this appointment of the list.")
    ] = "",
    close: Annotated[bool, typer.Option("--close", help="Close the reply without an answer.")] = False,
    texts: TextsFolder = None,
    offices: OfficesFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Close a reply: answer it in your own words, or carry out what the citizen wants.

    The answer goes out on the channel that the citizen used. --confirm answers with the office's own words unless you
    give a text. After --cancel the service cancels the appointment at the queue system, and tells the citizen the
    outcome. A key is one of the sender's own appointments, and no other.

    Example: vetlla reminders inbox answer 12 "Porteu el DNI i el contracte." or, to cancel,
    vetlla reminders inbox answer 12 --cancel 4711
    """
    _refuse_mixture(text, confirm, cancel, close=close)
    at, by = now(), actor()
    with database(state_dir) as db:
        if close:
            done = inbox.close(db, number, by, at)
        elif confirm or cancel:
            verdict = Verdict.CONFIRM if confirm else Verdict.CANCEL
            own = known_settings()
            wording = office_words(texts or own.texts, offices or own.offices_file)
            done = inbox.decide(db, number, verdict, confirm or cancel, text, wording=wording, by=by, now=at)
        else:
            done = inbox.answer(db, number, text, by, at)
    _tell_closed(done, as_json=as_json)


def _refuse_mixture(text: str, confirm: str, cancel: str, *, close: bool) -> None:
    if sum(map(bool, (confirm, cancel, close))) > 1:
        raise UsageError("--confirm, --cancel and --close exclude each other", remedy="give one of them")
    if text and (cancel or close):
        raise UsageError(
            "a text goes alone, or with --confirm: the outcome of a cancellation is its answer", remedy="leave it out"
        )
    if not (text or confirm or cancel or close):
        raise UsageError("nothing to do", remedy="give a text, --confirm KEY, --cancel KEY, or --close")


def _tell_closed(done: Closed, *, as_json: bool) -> None:
    kept = done.appointment
    named = "/".join(kept.appointment.key) if kept else None
    if as_json:
        print_json(
            {
                "reply": done.reply,
                "channel": done.channel.value,
                "answer": done.answer or None,
                "segments": done.segments,
                "decision": done.verdict.value if done.verdict else None,
                "appointment": named,
            }
        )
        return
    parts = f", in {done.segments} parts" if done.segments > 1 else ""
    answered = f"an answer goes out by {done.channel}{parts}" if done.answer else "no answer goes out now"
    what = {
        None: "",
        Verdict.CONFIRM: f"{named} is confirmed; ",
        Verdict.CANCEL: f"{named} is cancelled at the queue system, and the citizen is told the outcome; ",
    }[done.verdict]
    console().print(f"reply {done.reply}: {what}{answered}", soft_wrap=True)


# --- teaching ---------------------------------------------------------------------------------------------------------


@app.command("teach")
def teach_reply(
    number: ReplyNumber,
    intent: Annotated[Teachable, typer.Argument(help="What the words mean.")],
    *,
    phrase: Annotated[
        str, typer.Option("--phrase", metavar="WORDS", help="The part of the reply that matters.  [default: all]")
    ] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="ca|es", help="Its language.  [default: the citizen's, if it is known]")
    ] = "",
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="FILE", help='Recorded replies: JSON lines with "text" and "means".'),
    ] = None,
    suggestions: Annotated[
        Path | None,
        typer.Option(
            "--suggestions",
            metavar="FOLDER",
            readable=False,
            help="Folder to write into.  [default: in the state directory]",
        ),
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option("--lexicon", metavar="FOLDER", help="Lexicon of replies.  [default: as installed]")
    ] = None,
    dry_run: DryRun = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Suggest what the words of a reply mean, after showing what that changes for recorded replies.

    The suggestion is written in the lexicon's own form, and never into the lexicon: a person copies it there. The reply
    still waits for its answer. Take names out with --phrase.

    Example: vetlla reminders inbox teach 12 confirm --phrase "em tindreu" --language ca
    """
    folder = suggestions or state_dir / SUGGESTIONS
    recorded = [
        RecordedReply(line.text, asked_in(line), str(line.fields.get("means") or ""))
        for file in corpus or ()
        for line in read_lines(file)
    ]
    with database(state_dir) as db, disk_errors(folder):
        wanted = teaching.suggestion_of(db, number, intent, phrase, language)
        taught = teaching.teach(
            db, number, wanted, recorded, folder, lexicon=lexicon, by=actor(), now=now(), dry_run=dry_run
        )
    _tell_taught(taught, as_json=as_json)


def _tell_taught(taught: Taught, *, as_json: bool) -> None:
    wanted, wrong = taught.suggestion, sum(one.is_wrong for one in taught.changes)
    if as_json:
        changes = [_change(one) for one in taught.changes]
        file = str(taught.file) if taught.file else None
        print_json(
            wanted._asdict() | {"tried": taught.tried, "changes": changes, "wrong": wrong, "file": file},
        )
        return
    out = console()
    for one in taught.changes[:CHANGES_SHOWN]:
        mark = "WRONG  " if one.is_wrong else ""
        out.print(f"{mark}{one.recorded.text}: {_reading(one.before)} -> {_reading(one.after)}", soft_wrap=True)
    out.print(f"{len(taught.changes)} of {taught.tried} recorded replies read otherwise, {wrong} of them wrong")
    if taught.file:
        out.print(f'{taught.file}: "{wanted.phrase}" means {wanted.intent}', soft_wrap=True)


def _reading(one: Understood) -> str:
    return one.intent.value + (" (sure)" if one.sure else "")


def _change(one: Reread) -> dict[str, Any]:
    return {
        "text": one.recorded.text,
        "means": one.recorded.means or None,
        "before": one.before.intent.value,
        "after": one.after.intent.value,
        "wrong": one.is_wrong,
    }
