"""JSON written as text, which is what makes thousands of chats quick to seed."""

import json
from functools import lru_cache


@lru_cache(maxsize=4096)
def quoted(text: str) -> str:
    """Encode a string as JSON, in UTF-8."""
    return json.dumps(text, ensure_ascii=False)
