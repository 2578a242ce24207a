"""The vectors are what the exchange's SDK makes of them today."""

from pathlib import Path

import pytest

from tests.bluefin.conftest import Script

HERE = Path(__file__).parent


@pytest.mark.slow
def test_the_sdk_makes_the_same_vectors_again(run_with_sdk: Script) -> None:
    assert run_with_sdk(HERE / "vectors.mjs") == (HERE / "vectors.json").read_text()
