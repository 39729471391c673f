"""The options of the command and what they make: models are sets of defaults."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.line_emulator.ademco import Ademco685
from bench.line_emulator.calls import CallPlan
from bench.line_emulator.emulator import Box
from bench.line_emulator.faults import Faults
from bench.line_emulator.surgard import DC4, SurGard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.line_emulator.messages import Dialect

MODELS: dict[str, dict[str, Any]] = {
    "mlr2": {"settings": "19200,7E1"},
    "mlr2000": {"line_width": 3},
    "mlr2-dv": {"ack_wait": 10.0, "buffer": 256, "settings": "1200,7E1"},
    "system5": {"line_width": 3},
    "ademco685": {},
    "mx8000": {"tries": 2},
}
"""What a model changes in the defaults."""
ENDS = {"dc4": DC4, "crlf": b"\r\n", "none": b""}
BUFFER_FOR_A_LINE = 127
"""Messages that MLR2E and MLR2000 keep for each telephone line."""


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def _mix(text: str) -> dict[str, float]:
    return {kind: float(weight or 1) for kind, _, weight in (part.partition("=") for part in text.split(","))}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    new = argparse.ArgumentParser(
        prog="python -m bench.line_emulator",
        description="Emulate a line receiver that repeats, buffers and beats, and keep a ledger for the judge.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    way = new.add_argument_group("the way to the program (one of them)").add_mutually_exclusive_group(required=True)
    way.add_argument("--serial", metavar="DEVICE", help="serial device or pty")
    way.add_argument("--pty", metavar="LINK", type=Path, help="make a pty, with a link to the program's end of it")
    way.add_argument("--listen", metavar="[HOST:]PORT", type=_address, help="automation port: the program dials it")
    way.add_argument("--connect", metavar="[HOST:]PORT", type=_address, help="the receiver dials the program")
    _run(new.add_argument_group("the run"))
    _receiver(new.add_argument_group("the receiver"))
    _dialect(new.add_argument_group("the dialect"))
    _calls(new.add_argument_group("the calls"))
    _faults(new.add_argument_group("faults, each a probability for one send"))
    return new


def _run(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--ledger", type=Path, default=Path("line-emulator.jsonl"), help="file of the ledger")
    group.add_argument("--events", type=int, default=100_000, help="messages, caller ID and two-way frames included")
    group.add_argument("--seed", type=int, default=1)
    group.add_argument("--rate", type=float, default=0.0, help="messages a second; 0: as fast as they are acknowledged")
    group.add_argument("--give-up", type=float, default=600.0, help="end after seconds without an acknowledgement")
    group.add_argument("--linger", type=float, default=0.0, help="seconds of heartbeats after the last message")
    group.add_argument("--list-homes", action="store_true", help="print all accounts of the run and end")


def _receiver(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", choices=MODELS, default="mlr2", help="sets other defaults")
    group.add_argument("--receiver", type=int, default=1, help="receiver number")
    group.add_argument("--settings", default="9600,8N1", help="speed and format of the serial device")
    group.add_argument("--ack-wait", type=float, default=4.0, help="patience with an answer, in seconds")
    group.add_argument("--lost-ack-wait", type=float, help="patience after a lost ACK (default: as --ack-wait)")
    group.add_argument("--tries", type=int, default=4, help="sends before the computer is absent")
    group.add_argument("--naks", type=int, default=26, help="NAKs after which a message is dropped")
    group.add_argument("--heartbeat", type=float, default=30.0, help="seconds; 0: none")
    group.add_argument("--buffer", type=int, help=f"messages (default: {BUFFER_FOR_A_LINE} for each telephone line)")
    group.add_argument(
        "--settle", type=float, default=0.05, help="seconds in which answers are ignored after a repeated message"
    )
    group.add_argument("--redial-when-absent", action="store_true", help="with --connect: close and dial again")
    group.add_argument("--supervisory", default="", help="byte with which the computer asks for a heartbeat, such as S")


def _dialect(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--line-width", type=int, choices=range(1, 8), default=1, help="Sur-Gard: characters of L")
    group.add_argument("--end", choices=ENDS, default="dc4", help="Sur-Gard: end mark")
    group.add_argument("--b32", action="store_true", help="B32 header in both directions (TCP only)")
    group.add_argument("--seven-even", action="store_true", help="bytes have even parity in bit 7")
    group.add_argument("--numeric", action="store_true", help="qualifiers 1, 3, 6 in place of E, R, P")
    group.add_argument("--account-first", action="store_true", help="account before 18, without spaces")
    group.add_argument("--space", action="store_true", help="a space before the account")
    group.add_argument("--status-mark", choices=("0", "S"), default="0", help="header of the receiver's own status")
    group.add_argument("--no-trailing-space", action="store_true", help="Ademco: no space before the end mark")
    group.add_argument("--zone-digits", type=int, choices=(2, 3), default=3, help="Ademco: digits of C and U")
    group.add_argument("--caps", action="store_true", help="Ademco: CAPS variant, only 3x1, 4x1 and 4x2")


def _calls(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--telephone-lines", type=int, default=8)
    group.add_argument("--homes", type=int, default=5_000)
    group.add_argument("--first-account", type=int, default=1_000)
    group.add_argument("--account-digits", type=int, choices=range(4, 9), default=4)
    group.add_argument("--hex", type=_share, default=0.0, help="share of the homes with digits B to F")
    group.add_argument("--sticky", action="store_true", help="a home always comes on the same line")
    group.add_argument("--mix", type=_mix, help="kinds and weights: contact-id=70,sia=10,... (default: all kinds)")
    group.add_argument("--caller-id", type=_share, default=0.1, help="share of the calls with a caller ID frame")
    group.add_argument("--two-way", type=_share, default=0.02, help="share of the calls that end in speech")
    group.add_argument("--one-call-at-a-time", action="store_true", help="messages of calls do not come mixed")
    group.add_argument("--second-calls", type=_share, default=0.0, help="share of the calls that are true second calls")
    group.add_argument(
        "--second-call-gap", choices=("messages", "time"), default="messages",
        help="what stands between a call and its second call",
    )  # fmt: skip
    group.add_argument("--second-call-after", type=float, default=15.0, help="with time: seconds")
    group.add_argument("--second-call-between", type=int, default=1, help="with messages: fewest acknowledged ones")


def _faults(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--lost-ack", type=_share, default=0.0, help="an ACK that came is not seen")
    group.add_argument("--cut", type=_share, default=0.0, help="two writes with a pause")
    group.add_argument("--half", type=_share, default=0.0, help="half a message, then the connection closes")
    group.add_argument("--glued", type=_share, default=0.0, help="copies without an end mark in one write")
    group.add_argument("--damage", type=_share, default=0.0, help="one byte is damaged")
    group.add_argument("--noise", type=_share, default=0.0, help="bytes of noise before a message")
    group.add_argument("--damage-as", choices=("high-bit", "flip"), default="high-bit", help="how a byte is damaged")
    group.add_argument("--longest-pause", type=float, default=0.05, help="longest pause of a cut, in seconds")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options, with the defaults of the model."""
    new = parser()
    model = new.parse_known_args(arguments)[0].model
    new.set_defaults(**MODELS[model])
    options = new.parse_args(arguments)
    if options.buffer is None:
        options.buffer = BUFFER_FOR_A_LINE * options.telephone_lines
    if options.b32 and (options.serial or options.pty):
        new.error("--b32 is for TCP only")
    if options.caps and options.mix is None:
        options.mix = {"3x1": 1.0, "4x1": 1.0, "4x2": 2.0}
    unknown = set(options.mix or ()) - set(dialect(options).mix)
    if unknown:
        new.error(f"the model {model} has no kind {', '.join(sorted(unknown))}")
    return options


def dialect(options: argparse.Namespace) -> Dialect:
    """Return the dialect of the model."""
    if options.model in {"ademco685", "mx8000"}:
        return Ademco685(
            receiver=options.receiver,
            trailing_space=not options.no_trailing_space,
            zone_digits=options.zone_digits,
            caps=options.caps,
        )
    return SurGard(
        receiver=options.receiver,
        line_width=options.line_width,
        end=ENDS[options.end],
        numeric=options.numeric,
        account_first=options.account_first,
        space=options.space,
        status_mark=options.status_mark,
    )


def box(options: argparse.Namespace) -> Box:
    """Return the options of the receiver."""
    return Box(
        ack_wait_s=options.ack_wait,
        tries=options.tries,
        naks=options.naks,
        heartbeat_s=options.heartbeat,
        buffer=options.buffer,
        b32=options.b32,
        seven_even=options.seven_even,
        no_end=options.end == "none",
        supervisory=options.supervisory.encode("ascii"),
        settle_s=options.settle,
        lost_ack_wait_s=options.lost_ack_wait,
        redial_when_absent=options.redial_when_absent,
        rate=options.rate,
        give_up_s=options.give_up,
        linger_s=options.linger,
    )


def plan(options: argparse.Namespace) -> CallPlan:
    """Return what the telephone lines bring."""
    return CallPlan(
        messages=options.events,
        homes=options.homes,
        first_account=options.first_account,
        account_digits=options.account_digits,
        hex_share=options.hex,
        telephone_lines=options.telephone_lines,
        sticky=options.sticky,
        mix=options.mix,
        caller_id_share=options.caller_id,
        two_way_share=options.two_way,
        interleave=not options.one_call_at_a_time,
        second_share=options.second_calls,
        second_by_time=options.second_call_gap == "time",
        second_after_s=options.second_call_after,
        second_between=options.second_call_between,
    )


def faults(options: argparse.Namespace) -> Faults:
    """Return what happens to messages."""
    return Faults(
        lost_ack=options.lost_ack,
        cut=options.cut,
        half=options.half,
        glued=options.glued,
        damage=options.damage,
        noise=options.noise,
        damage_as=options.damage_as,
        longest_pause_s=options.longest_pause,
    )
