"""State on disk: the cache, the journal, the lock, the history, and the record of the last run."""
