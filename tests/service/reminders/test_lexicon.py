"""The lexicon's files."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.lexicon import Intent, lexicon_of
from vetlla.service.reminders.replies import understand
from vetlla.tasks.reminders.lexicon import FILES, load_lexicon

SHIPPED = Path(str(files("vetlla.service.reminders"))) / "lexicons"


def test_an_office_can_use_words_of_its_own(tmp_path: Path) -> None:
    for name in FILES:
        shutil.copy(SHIPPED / name, tmp_path)
    ours = (tmp_path / "ca.toml").read_text(encoding="utf-8").replace('"no vindré"', '"no vindré", "me n\'oblido"')
    (tmp_path / "ca.toml").write_text(ours, encoding="utf-8")
    assert understand("Me n'oblido", load_lexicon(tmp_path)).intent is Intent.CANCEL


def test_a_folder_without_a_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"any\.toml"):
        load_lexicon(tmp_path)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"language": "fr"}, "language must be"),
        ({"language": "ca", "confirm": ["sí"]}, "must be a table"),
        ({"language": "ca", "confirm": {"phrases": "sí"}}, "list of phrases"),
        ({"language": "ca", "confirm": {"phrases": ["..."]}}, "list of phrases"),
        ({"language": "ca", "confirm": {"words": ["sí"]}}, "there is no list confirm.words"),
        ({"language": "ca", "confirm": {"phrases": ["sí"]}, "cancel": {"phrases": ["SI"]}}, "means cancel and confirm"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(document: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        lexicon_of([document])
