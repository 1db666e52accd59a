"""Files that released versions wrote, and that every later version must read.

Each version has a folder with its files, made once by ``python -m tests.compat`` and never changed again:

    values-13.v8 ... values-16.v8   ``dump`` of each value of ``VALUES``, one after the other, in that version
    store.db                        a store with each value under its name, and one that lies in chunks
    values.cbor                     the same as CBOR

and ``others`` has what other programs wrote, with their versions in the names.
"""
