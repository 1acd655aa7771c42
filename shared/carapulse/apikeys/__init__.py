"""API keys: what machines prove themselves with, made and answered for by a person, and gone at once when revoked."""
