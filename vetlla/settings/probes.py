"""The file of a machine that probes the service: what it reaches, under which account, and how long it waits.

machine = "probe-1"                     # name of this machine in all probes; default: its host name

[[component]]
name = "dc09-tcp"
kind = "dc09"                           # dc09, mqtt, line, sip, http or file
to = "arc.example.cat:9009"
account = "99001"                       # a registered test account of this machine
"""

import json
import re
from pathlib import Path
from socket import gethostname
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationError, model_validator

from vetlla.domain.probes import NAME_MOST, ProbedPart
from vetlla.settings.faults import Guide, refusal
from vetlla.settings.files import read
from vetlla.settings.section import LONGEST_WORD, AbsolutePath, Section, WholeUrl, Word, host_and_port

COMPONENTS_MOST: Final = 32
"""Most components of a machine. They are probed at the same time, each over a connection of its own."""
TIMEOUT_MOST_S: Final = 60.0
"""Longest time for an answer. A terminal waits no longer (fact sheet DC-09, section 4)."""
TRIES_MOST: Final = 4
"""Most sendings of a signal, as a terminal's on one path."""
READY_MOST_S: Final = 15.0
"""Longest wait for the stamp that the receiver placed a signal; it comes with its next commit, at most 10 s later."""
AGE_MOST_S: Final = 366 * 86_400
"""Longest allowed age of a file: a year."""
STATUS_MOST: Final = 16
"""Most right answers of a SIP server."""
TEXT_MOST: Final = 200
"""Most characters of the text that a page must contain."""

_SIP_ADDRESS: Final = re.compile(r"sips?:[!#-;=?-~]+", re.ASCII)
"""Neither blanks nor quotes nor angle brackets, because it stands in a header between angle brackets."""


def _place(text: str) -> str:
    found = host_and_port(text)
    if found is None or not 1 <= found[1] <= 65_535:
        raise ValueError("should be HOST:PORT, such as arc.example.cat:9009")
    return text


def _sip_address(text: str) -> str:
    if _SIP_ADDRESS.fullmatch(text) is None:
        raise ValueError("should be an address of SIP, such as sip:probe@arc.example.cat")
    return text


Place: TypeAlias = Annotated[str, AfterValidator(_place)]
SipAddress: TypeAlias = Annotated[str, Field(max_length=LONGEST_WORD), AfterValidator(_sip_address)]
Tries: TypeAlias = Annotated[int, Field(ge=1, le=TRIES_MOST)]
Patience: TypeAlias = Annotated[float, Field(ge=0.1, le=TIMEOUT_MOST_S)]


class _Component(Section):
    name: Annotated[str, Field(pattern=rf"^[A-Za-z0-9._-]{{1,{NAME_MOST}}}$")]
    part: ProbedPart = ProbedPart.SYSTEM
    timeout_s: Patience = 5.0
    """How long an answer may take."""


class _Signal(_Component):
    to: Place
    account: Annotated[str, Field(pattern=rf"^[!-~]{{1,{NAME_MOST}}}$")]
    """A registered account that is nothing but a probe's. Each machine needs its own."""
    tries: Tries = 2
    """Sendings of a signal. One datagram that is lost on the way is no outage."""
    state_dir: AbsolutePath | None = None
    """State directory of the receiver, if this machine can read its journal."""
    ready_s: Annotated[float, Field(ge=0, le=READY_MOST_S)] = 0
    """How long to wait until the journal says that the receiver placed the signal; 0: look once."""


class Dc09Component(_Signal):
    """A periodic test over SIA DC-09."""

    kind: Literal["dc09"]
    transport: Literal["tcp", "udp", "tls"] = "tcp"
    receiver: str = ""
    line: str = ""
    key: Word | None = None
    """Name of a key of ``keys_file``; without it the frame is plain."""
    keys_file: AbsolutePath | None = None
    ca: AbsolutePath | None = None
    """Certificate that the receiver must show (tls); without it any is taken."""

    @model_validator(mode="after")
    def _key_of_a_file(self) -> "Dc09Component":
        if (self.key is None) != (self.keys_file is None):
            raise ValueError("key and keys_file belong together: give both or none")
        return self


class MqttComponent(_Signal):
    """A test event over a broker, with the receiver's receipt."""

    kind: Literal["mqtt"]
    username: Word | None = None
    password_file: AbsolutePath | None = None
    ca: AbsolutePath | None = None
    """Authority of the broker's certificate; without it the connection has no TLS."""


class LineComponent(_Signal):
    """A periodic test in the automation output of a line receiver, over TCP, at a port of its own."""

    kind: Literal["line"]
    protocol: Literal["surgard", "ademco685", "radionics6500"] = "surgard"
    receiver: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,2}$")] = "01"


class SipComponent(_Component):
    """A SIP server, which is asked what it can do (OPTIONS), as PBXs ask each other whether they are there."""

    kind: Literal["sip"]
    to: Place
    transport: Literal["udp", "tcp", "tls"] = "udp"
    uri: SipAddress | None = None
    """The address that is asked; without it the server at ``to``."""
    sender: SipAddress = "sip:vetlla-probe@anonymous.invalid"
    """Who asks. Some servers know only their own users."""
    status: Annotated[
        list[Annotated[int, Field(ge=200, le=699)]],
        Field(min_length=1, max_length=STATUS_MOST, default_factory=lambda: [200]),
    ]
    """The right answers."""
    tries: Tries = 2
    username: Word | None = None
    """User of the digest that the server may ask for (401 or 407)."""
    password_file: AbsolutePath | None = None
    ca: AbsolutePath | None = None
    """Authority of the server's certificate (tls); without it those of the machine."""

    @model_validator(mode="after")
    def _password_of_a_user(self) -> "SipComponent":
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together: give both or none")
        return self


class HttpComponent(_Component):
    """A page or an interface."""

    kind: Literal["http"]
    url: WholeUrl
    status: Annotated[int, Field(ge=100, le=599)] = 200
    text: Annotated[str, Field(max_length=TEXT_MOST)] = ""
    """What the first mebibyte of the answer must contain."""
    username: Word | None = None
    password_file: AbsolutePath | None = None
    ca: AbsolutePath | None = None
    """Authority of the server's certificate; without it those of the machine."""


class FileComponent(_Component):
    """A file that must be there and not be old, such as an export for the authority."""

    kind: Literal["file"]
    path: AbsolutePath
    max_age_s: Annotated[float, Field(gt=0, le=AGE_MOST_S)]
    least_bytes: Annotated[int, Field(ge=0)] = 1


SignalComponent: TypeAlias = Dc09Component | MqttComponent | LineComponent
Component: TypeAlias = Annotated[
    SignalComponent | SipComponent | HttpComponent | FileComponent, Field(discriminator="kind")
]


class ProbeSettings(Section):
    """The whole file."""

    machine: Annotated[str, Field(pattern=rf"^[A-Za-z0-9._-]{{1,{NAME_MOST}}}$")] = Field(default_factory=gethostname)
    component: Annotated[list[Component], Field(min_length=1, max_length=COMPONENTS_MOST)]

    @model_validator(mode="after")
    def _names_differ(self) -> "ProbeSettings":
        names = [(one.part, one.name) for one in self.component]
        for part, name in names:
            if names.count((part, name)) > 1:
                raise ValueError(
                    f"two components have the name {name}: a probe is known by machine, component and start"
                )
        return self


GUIDE: Final = Guide(ProbeSettings, "config/probe.toml", "docs/probes.md")


def load_probe_settings(file: Path) -> ProbeSettings:
    """Return the settings of a file. Raises ConfigError that lists all faults, each with its key."""
    tree = read(file, GUIDE.example)
    try:
        # Use JSON: only there does strict validation still turn texts into paths and words.
        return ProbeSettings.model_validate_json(json.dumps(tree.values, default=str))
    except ValidationError as error:
        raise refusal(error, tree.origins, file, GUIDE) from error
