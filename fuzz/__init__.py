"""Fuzzers: endless variations of real messages, and the promises that must hold for each.

    python -m fuzz --seconds 60              all of them, one after the other
    python -m fuzz --seconds 600 loads       one of them; --seed repeats a run

A module ``fuzz_NAME`` has a function ``attempt(random)`` that makes one input and tries it, and raises
``AssertionError`` with the input in it if a promise is broken.
"""
