"""Dead letters: messages that were given up, why, and what people did about them."""
