"""Looks at what the authority looks at: a page or an interface, and the age of a file."""

from __future__ import annotations

import asyncio
import stat
import time
from typing import TYPE_CHECKING, Final

import aiohttp

from vetlla.gateways.http import basic_header, reason_of
from vetlla.settings.secret import read_secret
from vetlla.simulator.probing.attempt import acknowledged, failed, timed_out
from vetlla.simulator.probing.signals import tls_context

if TYPE_CHECKING:
    from vetlla.settings.probes import FileComponent, HttpComponent
    from vetlla.simulator.probing.attempt import Attempt, Prober

BODY_MOST: Final = 1 << 20
"""Most bytes of an answer that are read. A page of the authority has some tens of thousands."""


def http(component: HttpComponent) -> Prober:
    """Return what gets a page once. It follows no redirection, because the page behind one is another page.

    Raises ConfigError for a file that cannot be used.
    """
    name, secret = f"component {component.name}", component.password_file
    password = read_secret(secret, name) if secret else ""
    headers = basic_header(component.username, password) if component.username else {}
    tls = tls_context(component.ca, name)
    limit = aiohttp.ClientTimeout(total=component.timeout_s)

    async def probe() -> Attempt:
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(ssl=tls)) as session,
                session.get(component.url, headers=headers, allow_redirects=False) as response,
            ):
                body = await _read(response)
        except TimeoutError:
            return timed_out(component.timeout_s)
        except (aiohttp.ClientError, OSError) as error:
            return failed(reason_of(error))
        if response.status != component.status:
            return failed(f"status {response.status}, expected {component.status}")
        if component.text.encode() not in body:
            return failed("the answer does not contain the expected text")
        return acknowledged()

    return probe


def file(component: FileComponent) -> Prober:
    """Return what looks whether a file is there, is large enough and is not too old."""

    def look() -> Attempt:
        try:
            found = component.path.stat()
        except OSError as error:
            return failed(f"the file: {error.strerror}")
        if not stat.S_ISREG(found.st_mode):
            return failed("it is no plain file")
        if found.st_size < component.least_bytes:
            return failed(f"the file has {found.st_size} bytes, expected at least {component.least_bytes}")
        age_s = time.time() - found.st_mtime
        if age_s > component.max_age_s:
            return failed(f"the file is {age_s:.0f} s old, at most {component.max_age_s:g} s are allowed")
        return acknowledged()

    async def probe() -> Attempt:
        # A file of a network share can hang. Its thread cannot be stopped, so the probe gives up waiting for it.
        try:
            async with asyncio.timeout(component.timeout_s):
                return await asyncio.to_thread(look)
        except TimeoutError:
            return timed_out(component.timeout_s)

    return probe


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > BODY_MOST:
            break
    return bytes(body[:BODY_MOST])
