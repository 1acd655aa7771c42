"""Identity: who is asking, for which tenant, and what their roles allow."""
