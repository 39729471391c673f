"""A NamedTuple of options is one parameter of a command and several options of its command line."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer
from typer.testing import CliRunner

from vetlla.cli.kit.option_groups import Instead, with_option_groups


class Paper(NamedTuple):
    colour: Annotated[str, typer.Option("--colour", help="Its colour.")]
    sheets: Annotated[int, typer.Option("--sheets", min=1)] = 5
    as_json: Annotated[bool, typer.Option("--json")] = False


app = typer.Typer()


@app.command()
@with_option_groups
def order(
    customer: Annotated[str, typer.Argument()], paper: Paper, note: Annotated[str, typer.Option("--note")] = "none"
) -> None:
    """Order paper."""
    typer.echo(f"{customer} {paper} {note}")


def test_a_command_gets_the_group_as_one_value() -> None:
    """Given options and defaults are the fields of one value, and the other parameters stay as they are."""
    done = CliRunner().invoke(app, ["order", "maria", "--colour", "red", "--note", "soon"])
    assert done.stdout == f"maria {Paper('red')} soon\n"
    done = CliRunner().invoke(app, ["order", "maria", "--sheets", "2", "--colour", "red", "--json"])
    assert done.stdout == f"maria {Paper('red', 2, as_json=True)} none\n"


def test_an_option_of_a_group_is_checked_like_any_other() -> None:
    """Typer demands a field without a default, and refuses a bad value."""
    for words, told in (
        (["order", "maria"], "--colour"),
        (["order", "maria", "--colour", "red", "--sheets", "0"], "--sheets"),
    ):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert told in done.stderr


def test_the_help_has_the_options_in_the_place_of_the_group() -> None:
    """A person does not see that several commands share these options."""
    shown = CliRunner().invoke(app, ["order", "--help"]).stdout
    places = [shown.index(name) for name in ("--colour", "--sheets", "--json", "--note")]
    assert places == sorted(places)
    assert "Order paper." in shown


@app.command()
@with_option_groups
def copy(paper: Annotated[Paper, Instead(sheets=None, colour=Annotated[str, typer.Option("--tint")])]) -> None:
    """Copy paper."""
    typer.echo(f"{paper}")


def test_a_command_may_leave_out_or_replace_an_option_of_a_group() -> None:
    """A field without its option keeps its default, and another option gives its field."""
    assert CliRunner().invoke(app, ["copy", "--tint", "red"]).stdout == f"{Paper('red')}\n"
    for words in (["copy", "--colour", "red"], ["copy", "--tint", "red", "--sheets", "2"]):
        assert CliRunner().invoke(app, words).exit_code == 2
