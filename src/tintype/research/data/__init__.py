"""Photos to learn from: read, drawn from by seed, packed into shards."""
