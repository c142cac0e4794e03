"""How hard the property tests try: the same few examples every time, or, for a soak, many at random.

``SOAK=50`` in the environment asks for fifty times as many examples as a property names. An ordinary run takes less than half
of them, so that all tests together stay quick.
"""

from __future__ import annotations

import os

from hypothesis import settings

SOAK = float(os.environ.get("SOAK") or 0)
ORDINARY = 0.45


def effort(examples: int) -> settings:
    """Settings for a property with so many examples."""
    return settings(derandomize=not SOAK, deadline=None, max_examples=max(1, round(examples * (SOAK or ORDINARY))))
