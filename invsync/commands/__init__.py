"""One file a command: what it does once its options are understood."""
