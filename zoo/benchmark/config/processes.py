"""Several processes that train one run together."""

from __future__ import annotations

import os

MAIN_PROCESS = os.environ.get("RANK", "0") == "0"  # of several under ``accelerate launch``; the others only train
