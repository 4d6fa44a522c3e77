"""Where a face lies in an image, and how it is framed."""
