"""How answers look to a person. Pure: JSON in, something that rich can draw out."""
