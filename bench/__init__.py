"""Speeds, side by side with the peers: ``make bench``, or ``python -m bench``.

One module a table (``codec``, ``pure``, ``scaling``, ``ports``, ``imports``); each has a ``measure`` that
returns rows.  What they share: ``_measure`` (rounds), ``_rows`` (rows, goals and how they are printed),
``_payloads``, ``_peers``, ``_node``, ``_child``.  docs/performance.md says how it is measured, and why so.
"""
