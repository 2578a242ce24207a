"""Matching the two halves: every order on which a client's journal and its venue differ, and why.

    client journal ─▶ ClientHalf ─┐
                                  ├─▶ differences
    venue journal  ─▶ VenueHalf ──┘        (or what a venue's interface lists, read by its dialect)

Nothing here decides or asks: both sides are read as they are, and put beside each other.
"""
