"""The command line. It talks to the HTTP API only, as anybody else does."""
