"""Tests of clonecodec.foreign: bytes from the programs themselves, whole and damaged."""
