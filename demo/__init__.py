"""Demonstrations on real input: ``python -m demo``."""
