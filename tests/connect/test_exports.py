"""What ``import tallystick`` offers, and what it costs."""

import subprocess
import sys

import tallystick
from tallystick.connect import errors


def test_every_public_name_is_there_and_every_other_is_not():
    for name in tallystick.__all__:
        assert getattr(tallystick, name) is not None
    assert sorted(tallystick.__all__, key=str.lower) == sorted(set(tallystick.__all__), key=str.lower)
    assert not hasattr(tallystick, "Storage")
    assert callable(tallystick.connect)


def test_a_server_does_not_load_what_clients_need():
    code = (
        "import sys, tallystick, tallystick.server.serve\n"
        "loaded = {'aiohttp', 'tallystick.connect.client', 'tallystick.dialects.sophic.connector'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "import tallystick.connect.port\n"
        "assert callable(tallystick.connect)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_tree_of_errors_is_drawn_where_they_are_defined():
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    for kind in kinds:
        assert f" {kind.__name__} " in f" {' '.join(errors.__doc__.split())} "
        assert kind.code
