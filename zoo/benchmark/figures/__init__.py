"""Figures of a study for papers and slides, drawn by matplotlib where it is installed (the extra ``figures``)."""
