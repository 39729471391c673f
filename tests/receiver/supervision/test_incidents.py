"""Incidents: which losses belong together, which do not, and when an incident is over."""

from __future__ import annotations

from vetlla.domain.accounts import Account
from vetlla.domain.clock import SECOND_US, Instant
from vetlla.receiver.supervision.fleet import NO_PARENT, Fleet
from vetlla.receiver.supervision.incidents import Incident, Incidents
from vetlla.service.supervision.rules import Collapse, Expectation

RULE = Collapse(burst=4, window_s=60, share=0.5, share_least=3)
LISTENERS = ["", "listener:dc09", "listener:mqtt"]


def at(seconds: float) -> Instant:
    return Instant(round(seconds * SECOND_US), round(seconds * SECOND_US))


class Rig:
    """A fleet of devices by label, each heard through a listener; tests pass their losses in."""

    def __init__(self, *groups: tuple[str, int], listener: int = 1) -> None:
        self.fleet = Fleet()
        self.of: dict[str, list[int]] = {}
        for labels, size in groups:
            for _ in range(size):
                account = Account(account=f"{len(self.fleet)}", labels=tuple(labels.split()))
                number = self.fleet.add(account, "", NO_PARENT)
                self.fleet.interval_s[number], self.fleet.allowed[number] = Expectation(900, 3)
                self.fleet.listener[number] = listener
                self.of.setdefault(labels, []).append(number)
        self.incidents = Incidents(self.fleet, RULE, LISTENERS.__getitem__)
        self.incidents.count_groups()

    def lose(self, device: int, second: float, *, silent_since: float = 0) -> Incident | None:
        return self.incidents.lost(device, round(silent_since * SECOND_US), at(second))


def test_losses_far_apart_are_no_incident() -> None:
    """Losses far apart are no incident, however many there are."""
    rig = Rig(("operator:a", 100))
    assert [rig.lose(device, 100 * device) for device in range(20)] == [None] * 20
    assert rig.incidents.open == {}


def test_a_burst_becomes_one_incident_with_all_its_members() -> None:
    """The loss that completes a burst opens an incident with the earlier losses; later losses join it."""
    rig = Rig(("operator:a", 100), ("operator:b", 100))
    assert [rig.lose(device, device) for device in range(3)] == [None] * 3
    incident = rig.lose(3, 3)
    assert incident is not None
    assert (incident.label, incident.lost) == ("operator:a", {0, 1, 2, 3})
    assert rig.lose(4, 500) is incident
    assert incident.members == {0, 1, 2, 3, 4}


def test_a_device_without_the_common_label_does_not_join() -> None:
    """A home with another operator does not join, even if it is lost during the incident."""
    rig = Rig(("operator:a", 100), ("operator:b", 100))
    stranger = rig.of["operator:b"][0]
    for device in range(4):
        rig.lose(device, device)
    assert rig.lose(stranger, 5) is None


def test_a_device_heard_after_the_incident_began_does_not_join() -> None:
    """A terminal that was heard after the incident began, and fails later, does not join it."""
    rig = Rig(("operator:a", 100))
    for device in range(4):
        rig.lose(device, device)
    assert rig.lose(50, 5_000, silent_since=2_300) is None
    assert rig.lose(51, 5_000, silent_since=2) is not None


def test_a_cell_fails_slowly() -> None:
    """Half of a small group lost within one interval is an incident, even without a burst within a minute."""
    rig = Rig(("cell:1", 6), ("cell:2", 500))
    cell = rig.of["cell:1"]
    assert rig.lose(cell[0], 0) is None
    assert rig.lose(cell[1], 300) is None
    incident = rig.lose(cell[2], 600)
    assert incident is not None
    assert (incident.label, incident.lost) == ("cell:1", set(cell[:3]))


def test_losses_of_another_interval_do_not_count_towards_a_share() -> None:
    """Losses that are older than one interval do not make the third loss an incident."""
    rig = Rig(("cell:1", 6), ("cell:2", 500))
    cell = rig.of["cell:1"]
    rig.lose(cell[0], 0)
    rig.lose(cell[1], 10)
    assert rig.lose(cell[2], 911) is None


def test_a_device_that_was_heard_again_does_not_count() -> None:
    """Losses of devices that were heard again do not count as a failure of their group."""
    rig = Rig(("cell:1", 6), ("cell:2", 500))
    cell = rig.of["cell:1"]
    for second in range(4):
        assert rig.lose(cell[0], 100 * second) is None
        assert rig.incidents.back(cell[0]) is None
    assert rig.lose(cell[1], 500) is None


def test_the_broker_s_devices_share_the_listener() -> None:
    """Devices of several operators that were heard through one listener are one incident with its label."""
    rig = Rig(*((f"operator:{n}", 2) for n in range(40)), listener=2)
    incident = None
    for number in range(4):
        incident = rig.lose(2 * number, number)
    assert incident is not None
    assert incident.label == "listener:mqtt"


def test_losses_through_all_listeners_are_an_incident_of_the_receiver() -> None:
    """Losses through several listeners and operators are an incident of the receiver itself."""
    rig = Rig(*((f"operator:{n}", 2) for n in range(40)))
    for device in range(0, 80, 2):
        rig.fleet.listener[device] = 1 + device // 2 % 2
    incident = None
    for number in range(4):
        incident = rig.lose(2 * number, number)
    assert incident is not None
    assert incident.label == "receiver"


def test_an_incident_ends_when_too_few_devices_are_still_lost() -> None:
    """The devices that are still lost then belong to no incident."""
    rig = Rig(("operator:a", 100))
    incident = None
    for device in range(6):
        incident = rig.lose(device, device)
    assert incident is not None
    assert rig.incidents.back(0) is None
    assert rig.incidents.back(1) is None
    over = rig.incidents.back(2)
    assert over is incident
    assert over.lost == {3, 4, 5}
    assert over.members == {0, 1, 2, 3, 4, 5}
    assert rig.incidents.open == {}
    assert rig.incidents.of == {}


def test_the_ucrs_of_one_home_are_one_loss() -> None:
    """A terminal may invent any number of UCRs. They count as one loss of its home and open no incident."""
    rig = Rig(("operator:a", 100))
    liar = rig.fleet.add(Account(account="9"), "", NO_PARENT)
    invented = [rig.fleet.add(Account(account="9"), f"{number}", liar) for number in range(200)]
    for number in (liar, *invented):
        rig.fleet.interval_s[number], rig.fleet.allowed[number] = Expectation(900, 3)
    assert {rig.lose(device, 1) for device in (liar, *invented)} == {None}
    assert [rig.lose(device, 100 + device) for device in range(3)] == [None] * 3
    assert rig.incidents.open == {}


def test_the_ucrs_of_an_incident_are_members_of_it() -> None:
    """An incident counts losses by homes, but lists every lost device."""
    rig = Rig(("operator:a", 100))
    ucr = rig.fleet.add(rig.fleet.accounts[0], "u1", 0)
    rig.fleet.listener[ucr] = 1
    assert rig.lose(ucr, 0) is None
    assert [rig.lose(device, 1) for device in range(3)] == [None] * 3
    incident = rig.lose(3, 2)
    assert incident is not None
    assert incident.members == {0, 1, 2, 3, ucr}
