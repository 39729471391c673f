"""Vetlla: the alarm receiver of a telecare service and the toolkit of its engineers."""

from importlib.metadata import version

__version__ = version("vetlla")
