"""Sessions: people, services and agents who work on something together, and who of them may decide who takes part."""
