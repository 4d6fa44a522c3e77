"""Colours a split of a dataset and scores the result."""
