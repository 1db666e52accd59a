"""``python -m clonecodec``: the command line, which ``clonecodec.cli`` is."""

from clonecodec.cli import main

if __name__ == "__main__":
    main()
