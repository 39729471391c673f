"""Automation output: what a line receiver writes to the software of an alarm centre, as the receiver sees it."""
