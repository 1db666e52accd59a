"""Tests of ``clonecodec.cbor``: against npm's cbor-x, against cbor2, against damage, and against itself."""
