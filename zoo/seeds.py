"""Seeds that depend on what they are for, and on nothing else."""

from __future__ import annotations

import hashlib


def seed_of(*parts: object) -> int:
    """A seed, at least 0 and below 2⁵⁶, that depends on ``parts`` (by their text) alone."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big")
