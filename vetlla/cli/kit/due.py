"""Lists of what falls due in the homes, as of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.cli.kit import parameters
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import Day
from vetlla.cli.kit.tables import Limit, print_some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vetlla.service.parameters import Reading


class DueList(NamedTuple):
    """Options of such a list: its day, its length, its parameters and its form."""

    day: Day = None
    known: Known = ""
    limit: Limit = None
    parameters_file: ParametersFile = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def values(self) -> Reading:
        """Return the parameters in force on the day as of which the list is made. Raises ConfigError."""
        return parameters.load_on(self.parameters_file, self.day)

    def tell(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], values: Reading) -> None:
        """Print the rows, and which of the parameters are assumed."""
        if print_some(rows, columns, self.limit, as_json=self.as_json):
            parameters.footnote(values)
