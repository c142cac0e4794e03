"""Warnings about rows that were loaded with other redaction rules than those of the current run."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from zendesk_chat.load.report import named


def about_redactions(lost: Collection[str], changed: Collection[str]) -> Iterator[str]:
    """Yield the warnings of a run.

    Args:
        lost: The streams with redacted rows for which this run has no rules.
        changed: Other streams with rows that were loaded with other rules.
    """
    if lost:
        yield (
            f"This run has no redaction rules for {named(list(lost))}, which an earlier run redacted. New rows have all fields "
            "in clear. Add the rules again, for example in zendesk-chat.toml, and load these streams again: add "
            f"--full-refresh --streams {','.join(lost)}."
        )
    if changed:
        yield (
            f"The redaction rules of {named(list(changed))} changed. Rows that were loaded before are unchanged. To reload "
            f"them with the new rules, add --full-refresh --streams {','.join(changed)}."
        )
