"""Calls: what files of a PBX say, how that joins, whose call it is, and the figures of ANS 6 and 7."""
