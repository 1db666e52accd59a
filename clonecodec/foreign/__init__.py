"""Values that other programs wrote: Chrome, Electron, Node, Deno, Cloudflare's workerd.

    read_blink            Chrome's and Electron's envelope, with IndexedDB's wrappers and host objects
    iter_node_ipc         messages of Node's child_process with ``serialization: "advanced"``
    read_deno_kv          a database of Deno KV
    read_durable_object   a value of a Durable Object's storage

Whatever is malformed raises DecodeError, and nothing else.
"""

from __future__ import annotations

from clonecodec.foreign._blink_objects import BlinkObject
from clonecodec.foreign.blink import Envelope, read_blink, read_envelope
from clonecodec.foreign.deno_kv import DenoKvEntries, DenoKvEntry, read_deno_kv
from clonecodec.foreign.durable_objects import read_durable_object
from clonecodec.foreign.node_ipc import NodeIPCMessages, iter_node_ipc

__all__ = [
    "BlinkObject",
    "DenoKvEntries",
    "DenoKvEntry",
    "Envelope",
    "NodeIPCMessages",
    "iter_node_ipc",
    "read_blink",
    "read_deno_kv",
    "read_durable_object",
    "read_envelope",
]
