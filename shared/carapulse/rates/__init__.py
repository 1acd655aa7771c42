"""How often somebody may ask, counted for all processes together."""
