"""The one contract: every behaviour of ports that makes sense in Python, for every backend.

A backend's test module subclasses ``PortContract`` and says how to make a channel.  ``docs/ports.md``
lists the behaviours that are left out, and why.
"""

from __future__ import annotations

from tests.transport.contract_asyncio import AsyncioContract
from tests.transport.contract_close import CloseContract
from tests.transport.contract_decisions import DecisionsContract
from tests.transport.contract_delivery import DeliveryContract
from tests.transport.contract_ref import RefContract
from tests.transport.contract_transfer import TransferContract
from tests.transport.contract_values import ValuesContract


class PortContract(
    DeliveryContract,
    ValuesContract,
    CloseContract,
    TransferContract,
    RefContract,
    AsyncioContract,
    DecisionsContract,
):
    """All of it."""
