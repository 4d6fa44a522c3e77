"""Image files as they come: which kinds are read, how they are opened and decoded, and how folders are searched.

Training, scoring and colouring read through here, so that a photo has the same pixels for all three.
"""
