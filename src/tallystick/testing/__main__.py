"""``python -m tallystick.testing module:factory``."""

import sys

from tallystick.testing.report import main

sys.exit(main())
