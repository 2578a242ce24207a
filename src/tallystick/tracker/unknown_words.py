"""What a venue said of an order that nobody here knows: kept as it came, each word once, and shown."""

from typing import Final

from tallystick.tracker.draft import Draft
from tallystick.tracker.order import TrackedOrder

WORDS_MAX: Final = 32
FURTHER_WORDS: Final = "something else"


def keep_word(draft: Draft, order: TrackedOrder, word: str, as_of: int) -> None:
    """It is kept once, with the newest time of it."""
    words = order.rarely().words
    if word not in words and len(words) >= WORDS_MAX:
        word = FURTHER_WORDS
    newest, count = words.get(word, (-1, 0))
    if as_of > newest:
        draft.set_word_aside(order, word, as_of, count + 1)
