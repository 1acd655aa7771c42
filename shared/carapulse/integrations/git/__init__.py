"""Git: changing what a repository declares, without a working copy that could get in the way."""
