"""What is computed once and kept on disk: decoded images and features."""
