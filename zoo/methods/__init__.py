"""Methods: how colours come about. A model, or a baseline."""
