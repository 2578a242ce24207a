"""`tallystick` with a setting that no user has: TEST_RETAIN_US, how long what is done stays in the state."""

import os

from tallystick.cli.main import main
from tallystick.server import host

host.RETAIN_US = int(os.environ.get("TEST_RETAIN_US", host.RETAIN_US))

if __name__ == "__main__":
    main()
