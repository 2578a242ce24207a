"""`tallystick` with settings that no user has: TEST_DISK_LOW_BYTES, the low-water mark; TEST_RETAIN_US, how long what
is done stays in the state.
"""

import os
from functools import partial

from tallystick.cli.main import main
from tallystick.server import host, serve

serve.Host = partial(host.Host, disk_low_bytes=int(os.environ.get("TEST_DISK_LOW_BYTES", "0")))
host.RETAIN_US = int(os.environ.get("TEST_RETAIN_US", host.RETAIN_US))

if __name__ == "__main__":
    main()
