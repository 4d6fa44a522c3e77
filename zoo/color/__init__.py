"""Colour: sRGB, CIE Lab in the model's ranges, gamut, and chroma at lower resolution."""
