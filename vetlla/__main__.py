"""``python -m vetlla``: the same as the ``vetlla`` command."""

from vetlla.cli.main import main

main()
