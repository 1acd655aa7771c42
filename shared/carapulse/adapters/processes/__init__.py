"""Programs, run under supervision: limited in everything, and gone to the last process when they are over."""
