"""Workbooks, read and written without a library that would hide what their cells are."""
