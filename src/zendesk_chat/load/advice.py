"""What a person at a terminal can do about an error, where Airbyte's users do something else."""

from __future__ import annotations

import re
from typing import Final

_AGAIN: Final = re.compile("([Aa])uthenticate again")


def for_people(message: str) -> str:
    """Return a message that names the command with which a person signs in.

    >>> for_people("Zendesk no longer renews this OAuth token. Authenticate again.")
    'Zendesk no longer renews this OAuth token. Run `zendesk-chat login`.'
    """
    return _AGAIN.sub(lambda match: ("Run" if match[1] == "A" else "run") + " `zendesk-chat login`", message)
