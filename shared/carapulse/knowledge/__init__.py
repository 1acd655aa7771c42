"""Knowledge: what people know of their systems, kept where plans are made: playbooks, runbooks and memory."""
