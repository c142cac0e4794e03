"""Warnings about rows that were loaded with other redaction rules than those of the current run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from zendesk_chat.load.report import named


def about_redaction(lost: Collection[str], outdated: Mapping[str, int | None]) -> Iterator[str]:
    """Yield the warnings of a run.

    Args:
        lost: The streams that were loaded with rules, and for which this run has none.
        outdated: How many rows of a stream were loaded with other rules; None if that is unknown. The other streams have no
            such rows.
    """
    if lost:
        kept = {name: outdated[name] for name in lost if name in outdated}
        rows = f" Rows that were redacted before stay so: {_listed(kept)}." if kept else ""
        yield (
            f"This run has no redaction rules for {named(list(lost))}, which an earlier run redacted. New rows have all fields "
            f"in clear.{rows} Add the rules again, for example in zendesk-chat.toml, and load these streams again: add "
            f"--full-refresh --streams {','.join(lost)}."
        )
    if changed := {name: count for name, count in outdated.items() if name not in lost}:
        yield (
            f"The redaction rules changed. Rows that were loaded before are unchanged: {_listed(changed)}. To reload them with "
            f"the new rules, add --full-refresh --streams {','.join(changed)}."
        )


def _listed(rows: Mapping[str, int | None]) -> str:
    return ", ".join(f"those of {name}" if count is None else f"{count:,} of {name}" for name, count in rows.items())
