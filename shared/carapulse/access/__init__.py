"""Access: who somebody is here, what they may do, and why not."""
