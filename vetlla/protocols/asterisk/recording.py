"""Reads recordings of spool files: one file, or several one after the other, as ``cat`` joins them."""

from __future__ import annotations

import re
from typing import Final

from vetlla.protocols.decoder import Message

_SECTIONED: Final = re.compile(rb"^\s*\[metadata\][ \t\r]*$", re.MULTILINE)
_KEYED: Final = re.compile(rb"^PROTOCOL=", re.MULTILINE)


def messages(recording: bytes) -> list[Message]:
    """Return the files of a recording, in order. Other bytes before the first one are a file of their own."""
    if not recording:
        return []
    form = _SECTIONED if _SECTIONED.search(recording) else _KEYED
    starts = [found.start() for found in form.finditer(recording)]
    if not starts or recording[: starts[0]].strip():
        starts.insert(0, 0)
    else:
        starts[0] = 0
    ends = [*starts[1:], len(recording)]
    return [Message("", recording[start:end]) for start, end in zip(starts, ends, strict=True)]
