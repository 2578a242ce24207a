"""Who may see what: an operator everything, a client what is of its own accounts. What is another's does not exist."""

from collections.abc import Sequence
from typing import NamedTuple

from tallystick.facts.codes import CUSTOMER
from tallystick.venue.state import State


class Viewer(NamedTuple):
    """``client`` is the client's name, None for an operator."""

    client: str | None

    def sees(self, state: State, account: int) -> bool:
        """Whether it may see what is of the account of this number; 0 is nobody's."""
        if self.client is None:
            return True
        found = state.accounts.get(account)
        return found is not None and found.role == CUSTOMER and found.owner == self.client

    def accounts(self, state: State) -> Sequence[int]:
        """A client's own, oldest first. Accounts of the house are nobody's, whoever owns them."""
        if self.client is None:
            return ()
        return [number for number in state.accounts_of_owner.get(self.client, ()) if self.sees(state, number)]
