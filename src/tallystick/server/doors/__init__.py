"""The doors beside a venue's own protocol: one for its operators, one for those who test. Neutral words, any venue."""
