"""Files: content kept on a disk."""
