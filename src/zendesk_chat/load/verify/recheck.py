"""The result of a verification after a repair: written records are compared again, without further requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zendesk_chat.load.file.stored import Stored
from zendesk_chat.load.verify.chats import MAX_WANTED, ChatCheck, NestedCheck
from zendesk_chat.load.verify.lists import ListCheck
from zendesk_chat.load.verify.results import Verification
from zendesk_chat.load.verify.total import Total, compare_totals
from zendesk_chat.load.verify.verifying import CHATS, Verifying


def after_repair(found: Verification, verifying: Verifying, stored: Stored, written: Mapping[str, int]) -> Verification:
    """Return the current result.

    Args:
        found: The result before.
        verifying: The verification that produced it.
        stored: The file, opened again.
        written: The number of records written, by stream.
    """
    remaining, total = _remaining(verifying, stored), found.total
    if verifying.chats is not None and total is not None:
        check = _again(verifying.chats, stored)
        check.compare_docs(verifying.chats.wanted)
        remaining |= {nested.stream.name: nested.tally.differs for nested in check.nested}
        kept = verifying.chats.tally.extra or len(verifying.chats.wanted) == MAX_WANTED
        remaining[CHATS] = check.tally.differs or bool(kept)
        check.newer |= verifying.chats.newer
        total = _total(check, total)
    streams = tuple(
        replace(stream, state="repaired") if stream.state == "different" and not remaining.get(stream.stream, True) else stream
        for stream in found.streams
    )
    return replace(found, streams=streams, total=total, repaired=written)


def _remaining(verifying: Verifying, stored: Stored) -> dict[str, bool]:
    """Return which lists still differ."""
    checks = [ListCheck(check.stream, replace(check.table, stored=stored), records=check.records) for check in verifying.lists]
    for check in checks:
        check.compare_records()
    return {check.stream.name: check.tally.differs for check in checks}


def _again(check: ChatCheck, stored: Stored) -> ChatCheck:
    """Return a new comparison with the file, opened again."""
    nested = [NestedCheck(one.stream, replace(one.table, stored=stored), one.loaded) for one in check.nested]
    return ChatCheck(replace(check.table, stored=stored), check.export, check.loaded, nested, check.changes)


def _total(check: ChatCheck, before: Total) -> Total:
    return compare_totals(check, before.account, before.reason)
