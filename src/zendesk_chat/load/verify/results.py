"""The results of a verification, as values, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

from zendesk_chat.errors import ConnectorError, ExitCode, exit_code
from zendesk_chat.load.verify.comparison import Tally
from zendesk_chat.load.verify.rows import Key
from zendesk_chat.load.verify.total import Total

State: TypeAlias = Literal["same", "same keys", "different", "repaired", "not available", "not compared", "failed"]
UNSURE: Final = 0.05  # the share of samples that would show no difference although more rows differ
KEYS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class StreamResult:
    """The comparison of one stream.

    Attributes:
        state: ``same keys`` if the content is not compared, because the rows were loaded with other redaction rules than those
            in the configuration; ``repaired`` if everything missing or different was written; ``not available`` if the account
            lacks the stream; ``not compared`` if only the export has its records.
        rows: Rows in the file.
        checked: Records compared.
        missing: Records of the account that the file lacks.
        extra: Rows in the file that the account lacks.
        different: Rows whose content differs from the account's record.
        newer: Records that began or changed after the last sync, which is not a difference.
        fields: How often each field differed.
        keys: Some of the keys that are missing, extra or different.
        reason: Why it is not compared.
    """

    stream: str
    state: State
    rows: int
    checked: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    newer: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, Sequence[Key]] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def of(cls, stream: str, rows: int, tally: Tally) -> StreamResult:
        """Return the result of a comparison."""
        found = {"missing": tally.missing, "extra": tally.extra, "different": tally.different}
        return cls(
            stream=stream,
            state="different" if tally.differs else "same",
            rows=rows,
            checked=tally.checked,
            missing=len(tally.missing),
            extra=len(tally.extra),
            different=len(tally.different),
            newer=tally.newer,
            fields=dict(tally.fields.most_common()),
            keys={name: sorted(keys, key=str)[:KEYS_SHOWN] for name, keys in found.items() if keys},
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification.

    Attributes:
        complete_until: The time up to which the file has all chats, as ISO 8601; None without chats.
        total: The comparison of the account's total; None without chats.
        sample: How many rows of chats were chosen at random; None if all chats were compared.
        sentences: The meaning of the result, in words.
        repaired: The number of records written, by stream.
        errors: Why streams could not be compared.
    """

    file: str
    schema: str
    subdomain: str
    account_key: str | None
    complete_until: str | None
    streams: tuple[StreamResult, ...]
    total: Total | None
    sample: int | None
    sentences: tuple[str, ...]
    requests: int
    seconds: float
    repaired: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[ConnectorError, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether there is a difference that is not repaired."""
        unequal = self.total is not None and self.total.unexplained != 0
        return unequal or any(stream.state == "different" for stream in self.streams)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        if self.errors:
            return exit_code(self.errors)
        if self.differs:
            return ExitCode.INCOMPLETE
        by_key = any(stream.state == "same keys" for stream in self.streams)
        return ExitCode.ACTION_NEEDED if by_key else ExitCode.COMPLETE

    def to_json(self) -> bytes:
        """Return the result as JSON; docs/status-and-verify.md describes it."""
        content = {"same": self.exit_code == ExitCode.COMPLETE, **asdict(self), "errors": [str(error) for error in self.errors]}
        if self.total is not None:
            content["total"] = {**asdict(self.total), "unexplained": self.total.unexplained}
        return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def largest_share(checked: int) -> float:
    """Return the highest share of different rows, with 95% confidence, if no row of a random sample differs.

    >>> round(largest_share(500), 4)
    0.006
    """
    return float(1 - UNSURE ** (1 / checked)) if checked else 1.0


def confidence(chosen: int, rows: int) -> str:
    """Describe what it means if no row of a random sample differs."""
    if chosen >= rows:
        return f"All {rows:,} chats in the file match the account."
    share = largest_share(chosen)
    percent = f"{share:.1%}" if share >= 0.0095 else f"{share:.2%}"  # noqa: PLR2004  two digits that mean something
    most = int(share * rows)
    return (
        f"No difference in a random sample of {chosen:,} of the {rows:,} chats in the file. With 95% confidence, fewer than "
        f"{percent} of them differ ({most:,} chats)."
    )
