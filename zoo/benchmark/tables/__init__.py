"""Result rows, and the tables that hold them."""
