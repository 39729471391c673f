"""The columns of the inventory's files of devices, and the kinds of rows that an import takes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator
from typing_extensions import TypedDict

from vetlla.domain import imei
from vetlla.domain.column_types import AccountNumber, HomeCode
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind
from vetlla.domain.devices import LAST_WEEK, DeviceType, Manufacture, Ownership, Place
from vetlla.service.homes.columns import FIRST_YEAR, HOMES, PEOPLE, REMEMBERED, Code, Day, Text


@lru_cache(maxsize=REMEMBERED)
def _week(cell: str) -> Manufacture:
    """Return the week and year of manufacture, written as 2019-W07, 2019W07 or 07/2019."""
    found = re.fullmatch(r"(\d{4})-?W(\d{1,2})|(\d{1,2})/(\d{4})", cell)
    if not found:
        raise ValueError("no week of manufacture: write 2019-W07 or 07/2019")
    year, week = int(found[1] or found[4]), int(found[2] or found[3])
    if not (1 <= week <= LAST_WEEK and year >= FIRST_YEAR):
        raise ValueError(f"week must be 1 to {LAST_WEEK} and year {FIRST_YEAR} or later")
    return Manufacture(year, week)


# --- types ------------------------------------------------------------------------------------------------------------

Imei = Annotated[str, ReadBy(imei.checked), Cell(Holds.CODE, digits=imei.DIGITS)]
AccountInCapitals = Annotated[AccountNumber, AfterValidator(str.upper)]
"""The receiver ignores the case of an account (``vetlla accounts``)."""
WeekOfManufacture = Annotated[Manufacture, ReadBy(_week)]


# --- rows -------------------------------------------------------------------------------------------------------------


class DeviceRow(TypedDict):
    """A device and where it is."""

    type: DeviceType
    serial: Code
    model: Text | None
    imei: Imei | None
    account: AccountInCapitals | None
    made: WeekOfManufacture | None
    ownership: Ownership
    place: Place
    home: HomeCode | None
    since: Day | None
    first_installed: Day | None
    cost_from: Day | None
    last_battery: Day | None
    last_maintenance: Day | None
    guarantee_until: Day | None


DEVICES: Final = RowKind(DeviceRow)
KINDS: Mapping[str, RowKind[Any]] = MappingProxyType({"devices": DEVICES, "homes": HOMES, "people": PEOPLE})
