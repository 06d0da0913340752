"""Photo files as they come: what they are, what is read of them, what is refused and why."""
