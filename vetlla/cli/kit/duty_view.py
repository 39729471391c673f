"""The options of commands that show what is recorded of duties, and the registry as they read it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias

from vetlla.cli.kit.duty_rows import KindsFile, duty_rules
from vetlla.cli.kit.known import asked
from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.option_groups import Instead
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.service.duties.terms import DutyRules


class DutyReading(NamedTuple):
    """The registry at one moment, the rules of duties, and the time at which clocks are read, in microseconds UTC."""

    connection: sqlite3.Connection
    rules: DutyRules
    now_us: int


class DutyView(NamedTuple):
    """Options of a command that reads duties and shows them."""

    kinds: KindsFile = None
    parameters_file: ParametersFile = None
    utc: Utc = False
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    @contextmanager
    def reading(self, known: str = "") -> Iterator[DutyReading]:
        """Yield the registry under the rules; times are then on the clock of the service.

        ``known`` is the text of ``--known``: the registry is as it was at that time, and clocks are read then.

        Raises ConfigError, StoreError, and UsageError for a text that is no time.
        """
        rules = duty_rules(self.kinds, self.parameters_file)
        now_us, known_us = asked(known)
        with snapshot(self.state_dir, CLOCK, known_us) as connection:
            yield DutyReading(connection, rules, now_us)


DutyFigures: TypeAlias = Annotated[DutyView, Instead(utc=None)]
"""Options of such a command that prints figures and no times."""
