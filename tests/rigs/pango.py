"""The library that sets the type of PDF, which is no Python package."""

from __future__ import annotations

import warnings

import pytest


def need_pango() -> None:
    """Skip the test if the library is not installed. A warning of an older library is not about Vetlla."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            __import__("weasyprint")
    except OSError:
        pytest.skip("needs Debian package pango1.0-tools")
