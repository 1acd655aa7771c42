"""Vault, and OpenBao, which speaks the same."""
