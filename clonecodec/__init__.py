"""V8 structured clone for Python."""
