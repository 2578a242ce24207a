"""Simulated worlds, audited: the odd half of the seeds. The halves are two files so that two workers share them."""

import pytest

from tests.simulate.chunks import half, violations


@pytest.mark.slow
@pytest.mark.parametrize("seeds", half(1), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_no_rule_is_violated(seeds):
    assert violations(seeds) == []
