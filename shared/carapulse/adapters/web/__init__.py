"""HTTP requests for tools, to allowed addresses only."""
