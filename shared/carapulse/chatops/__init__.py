"""ChatOps: people who read, approve, deny, execute and cancel from a chat, each as themselves and nobody as the bot."""
