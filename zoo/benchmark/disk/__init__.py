"""What runs and the cache take on disk, and what of it may go."""
