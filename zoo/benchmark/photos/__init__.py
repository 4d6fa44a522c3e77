"""How far coloured photos are from what they were: ours, and any other system's."""
