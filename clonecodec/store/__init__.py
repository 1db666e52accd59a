"""Values that outlive the program: a mapping in an SQLite file, a safe ``shelve``.

    from clonecodec import store

    with store.open("settings.db") as settings:
        settings["window"] = {"size": (800, 600), "seen": {1, 2, 3}}

Reading runs no code of the writer's, any number of threads and processes may use the file at once, and a
process that is killed loses nothing that was committed.
"""

from __future__ import annotations

from clonecodec.store._errors import StoreBusyError, StoreDamagedError, StoreError
from clonecodec.store._opening import Mode
from clonecodec.store._ranges import StoreItems, StoreKeys, StoreValues
from clonecodec.store._store import Store, open

__all__ = [
    "Mode",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreItems",
    "StoreKeys",
    "StoreValues",
    "open",
]
