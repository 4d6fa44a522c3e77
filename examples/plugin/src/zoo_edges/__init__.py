"""A plug-in of face-colour-zoo: encoder ``edges``, conditioner ``shift``. Its pyproject.toml tells the zoo of them."""
