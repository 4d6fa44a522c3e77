"""All of a table as one page. It needs no network and asks nobody for anything."""
