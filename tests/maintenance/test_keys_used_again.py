"""An owner's word for an order may come back when the order has long left; both orders stay on record."""

from tallystick.readers.readers import Readers
from tallystick.readers.tables import Tables
from tests.stage import BOB, SECOND, Stage


def test_no_order_is_lost_from_the_tables_when_its_key_is_used_again(tmp_path):
    """Decided without what the shell would know of it (``known``), as HostedVenue.ask does."""
    stage = Stage(retain_us=10 * SECOND)
    stage.quote("30.00")
    for _ in range(3):
        stage.buy("10.00", client_key="mine", fingerprint="f")
        stage.wait(30)
        stage.buy("1.00", account=BOB)
        stage.wait(1)
    tables = Tables(tmp_path / "t.db")
    readers = Readers(tables=tables)
    for entry in stage.entries:
        readers.commit(entry)
    tables.close()
    again = Tables(tmp_path / "t.db")
    gone = set(range(1, readers.state.orders_made + 1)) - set(readers.state.orders)
    assert {number for number in gone if again.order(number) is not None} == gone
    again.close()
