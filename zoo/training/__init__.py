"""The one trainer, what it eats, and what is pretrained with it."""
