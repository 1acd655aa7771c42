"""Issuers outside: their file, what they publish, and their keys as long as those hold."""
