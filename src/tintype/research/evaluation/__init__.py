"""How well methods color, and what steering is worth."""
