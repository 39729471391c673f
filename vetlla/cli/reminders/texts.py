"""``vetlla reminders texts`` checks the messages to citizens, and shows each as its reader sees it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text as Styled

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.reminders import approving
from vetlla.cli.reminders.options import OfficesFile, OtherStateDir, TextsFolder, known_settings
from vetlla.domain.clock import SystemClock, to_datetime
from vetlla.domain.errors import AccessError, ConfigError, StoreError, UsageError
from vetlla.domain.findings import Finding, Level, of_error, worst
from vetlla.domain.messages import Channel
from vetlla.service.reminders.rates import RateCard
from vetlla.service.reminders.texts import template
from vetlla.service.reminders.texts.examples import example_values
from vetlla.service.reminders.texts.lint.around import Around
from vetlla.service.reminders.texts.lint.run import lint
from vetlla.service.reminders.texts.names import TextName
from vetlla.service.reminders.texts.preview import Preview, example_use, preview, selected
from vetlla.service.reminders.texts.text import SenderKind, SmsEncoding
from vetlla.tasks.reminders.lexicon import load_lexicon
from vetlla.tasks.reminders.rows import load_approvals, load_rates, load_templates
from vetlla.tasks.reminders.texts import load_offices, load_texts

if TYPE_CHECKING:
    from decimal import Decimal

    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.service.reminders.texts.preview import AsSms

app = typer.Typer(no_args_is_help=True, help="Check and preview the messages to citizens.")

_STYLE = {Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.UNKNOWN: "magenta"}

app.command("approve")(approving.approve_texts)
app.command("approvals")(approving.list_approvals)


@app.command("lint")
def lint_texts(
    *,
    texts: TextsFolder = None,
    offices: OfficesFile = None,
    lexicon: Annotated[
        Path | None,
        typer.Option(
            "--lexicon", metavar="FOLDER", help="Lexicon of replies.  [default: as configured, or as installed]"
        ),
    ] = None,
    sender_kind: Annotated[
        SenderKind, typer.Option("--sender-kind", help="What SMS come from: alias is a name, which cannot be answered.")
    ] = SenderKind.NUMBER,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", metavar="FILE", help="Templates at Meta: columns name, language, status."),
    ] = None,
    approvals: Annotated[
        Path | None,
        typer.Option(
            "--approvals",
            metavar="FILE",
            help="Approvals: columns title, version, digest, party, person, at.  [default: those in the database]",
        ),
    ] = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the messages to citizens: everything that must be right before one is sent, and what costs too much.

    The command checks that each text exists in both languages and for both channels, its places, the replies that it
    tells people to send, WhatsApp's limits, invisible characters and the number of SMS segments. With a file of
    templates it checks Meta's approval. With a file of approvals, or a database, it checks those of the offices.

    Exit status: 0 all well, 1 warnings, 2 something must not be sent, 3 something could not be checked.

    Example: vetlla reminders texts lint --texts /etc/vetlla/reminders/texts
    """
    settings = known_settings(state_dir)
    catalogue = load_texts(texts or settings.texts)
    unread: list[Finding] = []
    try:
        agreed = load_approvals(approvals) if approvals else approving.kept_approvals(settings.state_dir)
    except (AccessError, StoreError) as error:
        agreed = None
        unread.append(of_error("texts.approvals", error))
    around = Around(
        lexicon=load_lexicon(lexicon or settings.lexicon),
        directory=load_offices(offices or settings.offices_file),
        sender=sender_kind,
        templates=load_templates(templates) if templates else None,
        approvals=agreed,
    )
    findings = [*unread, *lint(catalogue, around)]
    with verdict(worst(findings)):
        if as_json:
            for finding in findings:
                print_json(fields(finding))
            return
        out = console()
        for finding in findings:
            line = Styled.assemble((finding.level.name, _STYLE[finding.level]), f" {finding.check} {finding.text}")
            out.print(line, soft_wrap=True)
            out.print(f"  -> {finding.remedy}", soft_wrap=True)
        out.print(f"TEXTS {worst(findings).name}: {len(catalogue.texts)} texts, {len(findings)} findings")
        _tell_unchecked(around)


def _tell_unchecked(around: Around) -> None:
    given = {"--templates": around.templates, "--approvals": around.approvals}
    if missing := [option for option, value in given.items() if value is None]:
        talk().print(f"not checked without {' and '.join(missing)}: who approved the texts", style="dim")


@app.command("preview")
def preview_texts(
    *,
    office: Annotated[str, typer.Option("--office", metavar="ID", help="For this office.")] = "",
    service: Annotated[str, typer.Option("--service", metavar="ID", help="For this procedure.")] = "",
    language: Annotated[str, typer.Option("--language", metavar="ca|es", help="In this language.")] = "",
    channel: Annotated[Channel | None, typer.Option("--channel", help="For this channel.")] = None,
    kind: Annotated[TextName | None, typer.Option("--kind", help="This text only.")] = None,
    rates: Annotated[
        Path | None,
        typer.Option("--rates", metavar="FILE", help="Rate card: columns from, channel, category, eur."),
    ] = None,
    on: Annotated[
        date | None,
        typer.Option("--on", parser=as_day, metavar="YYYY-MM-DD", help="Prices of this day. Default: today."),
    ] = None,
    texts: TextsFolder = None,
    offices: OfficesFile = None,
    as_json: AsJson = False,
) -> None:
    """Show each message for an invented appointment, as its reader sees it, with SMS segments and cost.

    An SMS is shown as written and, if that differs, folded to letters that cost less; "*" marks how it is sent.

    Example: vetlla reminders texts preview --kind reminder --language ca
    """
    if language not in {"", "ca", "es"}:
        raise UsageError(f"there are no texts in {language!r}", remedy="give --language ca or --language es")
    settings = known_settings()
    directory = load_offices(offices or settings.offices_file)
    if office and office not in directory.offices:
        raise UsageError(f"there is no office {office!r}", remedy=f"the offices are {', '.join(directory.offices)}")
    if service and service not in directory.services:
        raise UsageError(f"there is no service {service!r}", remedy=f"the services are {', '.join(directory.services)}")
    card = load_rates(rates) if rates else RateCard()
    day = on or to_datetime(SystemClock().now().utc_us).date()
    chosen = selected(
        load_texts(texts or settings.texts).texts,
        office=office,
        service=service,
        language=language,
        channel=channel or "",
        name=kind or "",
    )
    for text in chosen:
        use = example_use(text, directory, office, service)
        try:
            made = preview(text, directory, use, card, day) if use else None
            why = "no office or procedure of offices.toml uses it"
        except ConfigError as error:
            made, why = None, error.args[0]
        if made is None:
            talk().print(f"{text.title}: not shown: {why}", style="yellow", soft_wrap=True)
        elif as_json:
            print_json(_fields(made, directory))
        else:
            _show(made)


def _show(made: Preview) -> None:
    text, out = made.source, console()
    off = "  (off)" if text.off else ""
    price = f"  {_euro(made.eur)}" if made.exact is None and made.eur is not None else ""
    out.print(Styled(f"{text.title}  version {text.version}{price}{off}", "bold"), soft_wrap=True)
    if made.exact is None or made.folded is None:
        _indented(made.text)
        if text.buttons:
            out.print(f"    [{'] ['.join(button.label for button in text.buttons)}]", soft_wrap=True)
    else:
        for word, one in ((SmsEncoding.EXACT, made.exact), (SmsEncoding.FOLD, made.folded)):
            mark = "*" if word is text.sms_encoding else " "
            found = one.segments
            cost = f"  {_euro(one.eur)}" if one.eur is not None else ""
            shape = f"{found.segments} segments  {found.encoding} {found.units} units"
            out.print(f"  {mark} {word:<5}  {shape}{cost}", soft_wrap=True)
            if word is SmsEncoding.EXACT or one.text != made.exact.text:
                _indented(one.text)
    out.print(f"    {text.digest}", style="dim", soft_wrap=True)


def _indented(said: str) -> None:
    for line in said.split("\n"):
        console().print(f"    {line}", soft_wrap=True)


def _euro(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.4f} EUR"


def _fields(made: Preview, directory: Directory) -> dict[str, Any]:
    text = made.source
    shown: dict[str, Any] = {
        "kind": text.name.value,
        "channel": text.channel.value,
        "language": text.language,
        "title": text.title,
        "version": text.version,
        "digest": text.digest,
        "off": text.off,
        "office": made.office,
        "service": made.service,
        "text": made.text,
        "eur": _number(made.eur),
    }
    if made.exact is not None and made.folded is not None:
        shown |= {
            "sms_encoding": text.sms_encoding.value,
            "exact": _sms(made.exact),
            "folded": _sms(made.folded),
        }
    if text.is_template:
        values = example_values(text, directory, made.office, made.service)
        shown |= {"parameters": list(made.parameters), "template": template.submission(text, values)}
    return shown


def _sms(one: AsSms) -> dict[str, Any]:
    found = one.segments
    return {
        "text": one.text,
        "encoding": found.encoding.value,
        "segments": found.segments,
        "units": found.units,
        "eur": _number(one.eur),
    }


def _number(amount: Decimal | None) -> str | None:
    """Return an amount exactly as the rate card gives it: a float would round it."""
    return None if amount is None else str(amount)
