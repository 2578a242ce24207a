"""Figures beside their floors and goals, as ratios measured in one run and never asserted (``make bench``)."""
