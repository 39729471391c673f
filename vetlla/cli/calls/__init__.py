"""``vetlla calls``: the calls of the service, from the files of its PBX."""
