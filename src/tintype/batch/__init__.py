"""Many photos: which they are, where results go, what they share, going on after a kill."""
