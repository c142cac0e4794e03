"""What a verification means, in sentences: how certain it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

from zendesk_chat.load.report import named
from zendesk_chat.load.verify.answers import CHATS_A_PAGE
from zendesk_chat.load.verify.results import StreamResult, confidence
from zendesk_chat.load.verify.total import Total
from zendesk_chat.load.verify.verifying import CHATS, NOT_COMPARED, Verifying
from zendesk_chat.wording import counted

UNDOCUMENTED: Final = "Zendesk does not document what it counts, so this alone proves nothing."
ONLY_EXPORT: Final = "update_timestamp, engagements and similar fields"
RELOAD: Final = "zendesk-chat sync --full-refresh"


def sentences(verifying: Verifying, results: Sequence[StreamResult]) -> list[str]:
    """Return what the results mean."""
    by_name = {result.stream: result for result in results}
    return [
        *_about_chats(verifying, by_name),
        *_about_lists(verifying, by_name),
        *_about_redaction(verifying),
        *_limits(results),
    ]


def _about_chats(verifying: Verifying, results: dict[str, StreamResult]) -> Iterator[str]:
    if verifying.chats is None or verifying.total is None or CHATS in verifying.errors:
        return
    found, total = results[CHATS], verifying.total
    yield _about_total(total)
    if verifying.named:
        rest = "all are in the file or newer" if not found.missing else "those that the file lacks count as missing"
        yield f"The account listed {counted(verifying.named, 'chat')} for random times: {rest}."
    if found.state == "same":
        chosen = found.rows if verifying.compared_all else min(found.rows, verifying.choices.sample)
        yield confidence(chosen - min(chosen, verifying.chats.tally.by_key), found.rows)
    yield from _about_differences(found, _family(verifying))
    if found.newer:
        yield f"{counted(found.newer, 'chat')} began or changed after the last sync. The next sync loads them."
    if total.unexplained > 0 and not verifying.compared_all:
        pages = counted(ceil((total.account or 0) / CHATS_A_PAGE), "request")
        yield (
            f"To find the missing chats, add --all. It compares every chat, in {pages}. To reload everything: "
            f"{RELOAD} --streams {_family(verifying)}."
        )


def _about_differences(found: StreamResult, family: str) -> Iterator[str]:
    field, count = max(found.fields.items(), key=lambda item: item[1], default=("", 0))
    if found.different == count == found.checked - found.newer > 1:
        yield f"{field} differs in all compared chats. The two endpoints may format it differently. Please report this."
    if found.different or found.extra:
        yield (
            "The export does not show changes of the last five minutes yet. If a chat changed just now, run sync a little "
            "later, then verify again."
        )
    if found.extra:
        are = "is" if found.extra == 1 else "are"
        yield (
            f"{counted(found.extra, 'chat')} in the file {are} no longer in the account, perhaps because of a deletion there. "
            f"To remove from the file what the account lacks: {RELOAD} --streams {family}."
        )


def _about_total(total: Total) -> str:
    has = f"The account reports {counted(total.account or 0, 'chat')}, and the file has {total.rows:,}"
    and_deleted = f"{has} and {counted(total.deleted, 'deleted chat')}" if total.deleted else has
    match total.outcome:
        case "equal" if total.newer:
            newer = f"{counted(abs(total.newer), 'chat')} {_began(total.newer)}"
            return f"{and_deleted}. {newer} since the last sync, so this adds up."
        case "equal":
            return f"{and_deleted}."
        case "equal with deleted chats":
            return f"{and_deleted}, which make up the difference. The numbers add up if Zendesk counts deleted chats."
        case "more in the account":
            return f"{has}: {counted(total.unexplained, 'chat')} may be missing. {UNDOCUMENTED}"
        case "fewer in the account":
            return f"{has}: {counted(-total.unexplained, 'chat')} may have been deleted in the account. {UNDOCUMENTED}"
        case _:
            return f"The account's total is not compared: {total.reason}"


def _began(newer: int) -> str:
    return f"{'was' if abs(newer) == 1 else 'were'} {'added' if newer > 0 else 'deleted'}"


def _about_lists(verifying: Verifying, results: dict[str, StreamResult]) -> Iterator[str]:
    differing = [check.stream.name for check in verifying.lists if results[check.stream.name].state == "different"]
    if differing:
        yield (
            f"{', '.join(differing)}: Zendesk does not record when these lists change, so a difference may be a change since "
            "the last sync. Run sync, then verify again. Records deleted from agents, bans and agent_routing_settings stay in "
            "the file until a full refresh."
        )


def _about_redaction(verifying: Verifying) -> Iterator[str]:
    tallies = {name: (tally, table) for name, (table, tally) in verifying.compared.items()}
    otherwise = sorted(name for name, (_, table) in tallies.items() if table.redaction == "otherwise")
    partly = sorted(name for name, (tally, table) in tallies.items() if table.redaction == "partly" and tally.by_key)
    if otherwise:
        yield (
            f"{named(otherwise)}: the file was loaded with other redaction rules, so only keys were compared. To compare "
            "the content, use the redaction rules of the sync."
        )
    if partly:
        yield (
            f"{named(partly)}: some rows were loaded before the redaction rules changed. Only their keys were compared. "
            f"To reload them: {RELOAD} --streams {','.join(partly)}."
        )


def _limits(results: Sequence[StreamResult]) -> Iterator[str]:
    """Yield what no other endpoint contains."""
    names = [result.stream for result in results if result.state == "not compared" and result.reason == NOT_COMPARED]
    if names:
        yield f"Not compared, because only the exports contain them: {', '.join(names)}, and in chats {ONLY_EXPORT}."


def _family(verifying: Verifying) -> str:
    """Return the streams in the file that come from chats, as an option of ``sync``."""
    source = verifying.catalog.streams[CHATS].source
    return ",".join(
        name for name, stream in verifying.catalog.streams.items() if stream.source == source and name in verifying.streams
    )
