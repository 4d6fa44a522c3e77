"""What tables of results say: comparisons and their statistics."""
