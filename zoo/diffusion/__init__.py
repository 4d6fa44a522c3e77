"""The diffusion of chroma: process, network, samplers. Nothing here knows of encoders or conditioning."""
