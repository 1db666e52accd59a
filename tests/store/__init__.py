"""Tests of clonecodec.store, with real files, threads, processes and kills."""
