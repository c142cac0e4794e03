"""Chats of the sandbox as forms: filled with a new id and a new time, they are other chats of the same size and shape."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from zendesk_chat_sandbox.clock import SandboxClock
from zendesk_chat_sandbox.seed import build_account
from zendesk_chat_sandbox.seed_chats import Times
from zendesk_chat_sandbox.seed_times import late_update

SEED: Final = 7
UPDATED: Final = 1_700_000_000
LONGEST_DELAY_SECONDS: Final = 31 * 86_400
ODD_CHATS: Final = 5  # the sandbox's first chats hold text that some programs cannot read
MORNING: Final = UPDATED + 10 * 3_600  # of a Wednesday
HOURS: Final = 20  # which makes the chats as large as the documents say
SECONDS: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Template:
    """One form. A time in it keeps its distance to the update of the chat."""

    def __init__(self, body: bytes, identity: str, updated: int) -> None:
        named = body.decode().replace("%", "%%").replace(identity, "%(id)s").encode()
        seconds = [int(_seconds_of(text.decode())) for text in SECONDS.findall(named)]
        self._offsets = sorted({second - updated for second in seconds})
        positions = iter(seconds)
        self._form = SECONDS.sub(lambda _: b"%%(%d)s" % (next(positions) - updated), named).decode()

    def fill(self, identity: str, updated: int) -> bytes:
        """The chat with this id that was updated then, as JSON."""
        values = {str(offset): iso(updated + offset) for offset in self._offsets}
        values["id"] = identity
        return (self._form % values).encode()


def make_templates(count: int) -> list[Template]:
    """So many forms, always the same."""
    account = build_account(SEED, ODD_CHATS, SandboxClock(UPDATED))
    templates = []
    for number in range(count):
        # Hours of the night and of the day in turn: at night there are offline messages, which are small.
        draft = account.chat_maker.draft(MORNING + number % HOURS * 3_600)
        updated = late_update(account.random, UPDATED, UPDATED + LONGEST_DELAY_SECONDS)
        chat = account.chat_maker.finish(draft, Times(UPDATED - draft.duration, updated))
        templates.append(Template(_of_today(chat.body), chat.identity, updated))
    return templates


def _of_today(body: bytes) -> bytes:
    """The chat as the API writes it now: the sandbox also sends the 1 and 0 that ``unread`` once was, in some chats."""
    return body.replace(b'"unread":1,', b'"unread":true,').replace(b'"unread":0,', b'"unread":false,')


def iso(seconds: int) -> str:
    """A time to the second, without its Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _seconds_of(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
