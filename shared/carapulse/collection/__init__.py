"""Collection: asks outside systems what there is, by collectors that are data, and reports it to the context."""
