"""``python -m tallystick`` is the ``tallystick`` command."""

from tallystick.cli.main import main

main()
