"""The database's history, one file a step, run by the owner role with lock and statement timeouts."""
