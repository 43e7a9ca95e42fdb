"""`python -m invsync`."""

from invsync.cli import main

main()
