"""The example of the reminder service's configuration loads, and example and handbook have every setting."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.domain.errors import ConfigError
from vetlla.settings.reminders.load import load_reminders
from vetlla.settings.reminders.model import ReminderSettings
from vetlla.settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "reminders" / "reminders.toml"
HANDBOOK = (ROOT / "docs" / "reminders-settings.md").read_text(encoding="utf-8")
KINDS_OF_OTHERS = {"calendar_root", "zones", "account", "search", "scopes", "path", "max_file_mib"}
"""Settings of kinds of sources and gateways that the example does not show; the handbook has them."""


def sections(hint: object) -> Iterator[type[Section]]:
    """Yield all tables below a type."""
    if isinstance(hint, type) and issubclass(hint, Section):
        yield hint
        for field in hint.model_fields.values():
            yield from sections(field.annotation)
    for part in typing.get_args(hint):
        yield from sections(part)


ALL = sorted(set(sections(ReminderSettings)), key=lambda one: one.__name__)
KEYS = sorted({field.alias or name for section in ALL for name, field in section.model_fields.items()})


def all_switched_on() -> str:
    """Return the example with every ``#key = value`` uncommented."""
    return re.sub(r"^#(?=\w+ = |\[)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def keys_of(values: Any) -> Iterator[str]:  # noqa: ANN401 - a TOML tree
    """Yield all keys of a document."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield key
            yield from keys_of(value)
    for value in values if isinstance(values, list) else ():
        yield from keys_of(value)


def test_the_example_as_shipped_is_every_default() -> None:
    assert load_reminders(EXAMPLE) == ReminderSettings()


def test_the_example_loads_with_every_comment_switched_on(tmp_path: Path) -> None:
    (tmp_path / "reminders.toml").write_text(all_switched_on(), encoding="utf-8")
    settings = load_reminders(tmp_path / "reminders.toml")
    assert [office.id for office in settings.office] == ["OMAC"]
    assert settings.whatsapp is not None
    for name in ("rules", "policy", "pace", "retention", "log"):
        assert getattr(settings, name) == getattr(ReminderSettings(), name), name


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_in_the_handbook(key: str) -> None:
    assert re.search(rf"`(\w+ = )?{key}`|`\{{ {key} = |`{key} = ", HANDBOOK), key


def test_the_example_has_only_settings_that_exist() -> None:
    assert set(keys_of(tomllib.loads(all_switched_on()))) - set(KEYS) <= {"ca", "es", "d0b1f7a4"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[office]]\nsource = "q"\nid = "1"\n', "names the source q"),
        ('[policy]\nchannels = ["sms", "sms"]\n', "named twice"),
        ('[rules]\nsteps = [{ name = "a", hours = 1 }, { name = "a", hours = 2 }]\n', "the same name"),
        ('[rules]\nquiet = { begin = "08:00", end = "21:00" }\n', "begin must be later than end"),
        ('[[source]]\nname = "q"\nkind = "orchestra-calendar"\nurl = "https://u:p@q.example"\n', "neither a user"),
        (
            '[[source]]\nname = "q"\nkind = "orchestra-calender"\nurl = "https://q.example"\n',
            'mean "orchestra-calendar"',
        ),
        ('[[source]]\nname = "q"\nurl = "https://q.example"\n', "source[1]: has no kind"),
        (
            '[[source]]\nname = "q"\nkind = "orchestra-queue"\nurl = "https://q.example"\ncalendar_rot = "/x"\n',
            'source[1].calendar_rot: unknown key\n  -> did you mean "calendar_root"',
        ),
        ('[[source]]\nname = "q"\nkind = "files"\npath = "x"\n', "absolute path"),
        ('redirect_to = "12"\n', "telephone number"),
        ('[webhooks]\npubic_url = "https://x.example"\n', 'did you mean "public_url"'),
        ("[pace]\nplan_s = 3600\n", "600"),
        ('[[source]]\nname = "f"\nkind = "files"\npath = "/f"\n[[office]]\nsource = "f"\nid = "1"\n', "[whatsapp]"),
        (
            '[policy]\nchannels = ["sms"]\n[sms]\nkind = "twilio"\naccount = "A"\ntoken_file = "t"\n',
            "a sender or a service",
        ),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "reminders.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_reminders(file)
    told = f"{caught.value} {caught.value.remedy}"
    assert said in told
    assert str(file) in told
