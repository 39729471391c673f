"""Reads and writes workbooks without a library, because a library would hide the types of their cells."""
