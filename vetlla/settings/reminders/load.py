"""Makes ``ReminderSettings`` from the files of a configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vetlla.settings.faults import Guide, refusal
from vetlla.settings.files import Tree, read
from vetlla.settings.reminders.model import ReminderSettings

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = Guide(ReminderSettings, "config/reminders/reminders.toml", "docs/reminders-settings.md")


def load_reminders(path: Path | None, *, state_dir: Path | None = None) -> ReminderSettings:
    """Return the settings of a configuration file; ``state_dir`` replaces its own. Raises ConfigError."""
    tree = read(path, GUIDE.example) if path else Tree()
    if state_dir:
        tree.values["state_dir"] = str(state_dir.absolute())
    try:
        # Use JSON: only there does strict validation still turn texts and lists into paths, enumerations and tuples.
        settings = ReminderSettings.model_validate_json(json.dumps(tree.values, default=str))
    except ValidationError as error:
        raise refusal(error, tree.origins, path, GUIDE) from error
    return settings
