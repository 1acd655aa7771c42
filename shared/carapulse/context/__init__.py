"""Context: what there is and what hangs on what, as sources report it, with a snapshot of each state."""
