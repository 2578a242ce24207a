"""What the exchange's SDK is run with."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, run

import pytest

from tests.bluefin.node import NotInstalled, node, sdk

Script = Callable[[Path], str]


@pytest.fixture(scope="session")
def run_with_sdk() -> Script:
    """Runs a script with the SDK and returns what it prints.

    Without Node or the SDK the tests that drive it fail; who has to do without says so: TALLYSTICK_WITHOUT_NODE=1.
    """
    if os.environ.get("TALLYSTICK_WITHOUT_NODE") == "1":
        pytest.skip("TALLYSTICK_WITHOUT_NODE=1: the exchange's SDK is not driven")
    try:
        command, folder = node(), sdk()
    except NotInstalled as error:
        pytest.fail(f"{error} Or leave these tests out: TALLYSTICK_WITHOUT_NODE=1.", pytrace=False)
    return lambda script: run([*command, str(script), str(folder)], stdout=PIPE, check=True, text=True).stdout
