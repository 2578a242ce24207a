"""The client half's shell: it sends what a strategy intends, asks what the tracker wants to know, tells what happened.

    buy(), cancel()  ─▶ checks ─▶ store: decide ─▶ JOURNAL ─▶ pacer ─▶ connector ─▶ venue        (intents)
    answers, streams ─▶ runtime ─▶ store: decide ─▶ JOURNAL ─▶ readers' state ─▶ events          (observations)
    the tracker's questions ─▶ runtime ─▶ pacer ─▶ connector ─▶ answers, as above

``port`` is what a connector is, and what the rest is written against. ``store`` decides (tracker) and makes durable.
``runtime`` is one venue's tasks. ``client`` is what a strategy holds. Beside them stands the kit that connectors are
built from: ``http``, ``pacer``, ``clock_offset``, ``trading_rules``, ``backoff``.
"""
