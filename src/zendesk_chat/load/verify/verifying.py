"""One verification: what is compared, in which order, and the result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from zendesk_chat.errors import ConnectorError, DestinationRefusedError, UnavailableError
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.advice import for_people
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.stored import Stored
from zendesk_chat.load.file.system import StreamRow, System
from zendesk_chat.load.file.tables import find_tables
from zendesk_chat.load.verify.answers import Requests, read_changes
from zendesk_chat.load.verify.chats import ChatCheck, NestedCheck
from zendesk_chat.load.verify.comparison import Tally
from zendesk_chat.load.verify.docs import Loaded
from zendesk_chat.load.verify.lists import LISTS, ListCheck
from zendesk_chat.load.verify.results import StreamResult
from zendesk_chat.load.verify.rows import ComparedTable, Redacted
from zendesk_chat.load.verify.sampling import compare_all, compare_named, compare_sample
from zendesk_chat.load.verify.total import Total, compare_totals
from zendesk_chat.request import Request
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.lists.answers import account
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US, iso_seconds
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.table import StreamTable

CHATS: Final = "chats"
FEW_CHATS: Final = 1_000
"""If an account has at most this many chats, and more than the file, all are compared: in 25 requests."""

NOT_COMPARED: Final = "Only the export contains its records."
LACKING: Final = "The account lacked it at the last sync."
WITHOUT_CHATS: Final = "It is compared together with chats, which the file lacks."
_TOLERANCE_US: Final = 3600 * SECOND_US  # for clocks, and for runs that take long


class _Account(msgspec.Struct):
    account_key: object = None


_account: Final = msgspec.json.Decoder(_Account)


@dataclass(frozen=True, slots=True)
class Choices:
    """The user's choices.

    Attributes:
        sample: How many chats of the file are compared, at random.
        seed: The seed of the random choice.
        everything: Whether all chats are compared instead.
        lookback: Seconds before a run within which records may become visible late.
        end: The first second that ``sync`` does not read; None for all.
    """

    sample: int = 500
    seed: int = 0
    everything: bool = False
    lookback: int = 600
    end: int | None = None


@dataclass(slots=True)
class Verifying:
    """A verification in progress.

    Attributes:
        streams: What the file knows about each stream.
        outdated: How many rows of a stream were loaded before the redaction rules changed.
        errors: Why streams could not be compared, by stream.
        compared_all: Whether all chats were compared, even if only because there are few.
        named: How many chats the account listed for random times; None if it was not asked or did not respond.
    """

    stored: Stored
    catalog: Catalog
    fetch: Requests
    choices: Choices
    streams: Mapping[str, StreamRow] = field(default_factory=dict)
    outdated: Mapping[str, int] = field(default_factory=dict)
    compared_all: bool = False
    chats: ChatCheck | None = None
    total: Total | None = None
    named: int | None = None
    lists: list[ListCheck] = field(default_factory=list)
    errors: dict[str, ConnectorError] = field(default_factory=dict)

    def run(self, subdomain: str) -> AccountRow:
        """Compare everything, and return the account in the file.

        Raises:
            ConnectorError: The file contains another account, or the account does not respond.
        """
        with explained(f"reading {self.stored.path}"):
            system = System(self.stored.connection, self.stored.schema)
            system.exists(find_tables(self.stored.connection, self.stored.schema))  # raises if it is of a newer version
            held = system.account() or AccountRow("")
            self.streams = system.streams()
            self.outdated = system.outdated()
        self._require_account(held, subdomain)
        self._compare_chats()
        self._compare_lists()
        return held

    def results(self) -> list[StreamResult]:
        """Return the result of each stream in the file, in the usual order."""
        lacking, rows, compared = self._lacking(), self.stored.counts(self.streams), self.compared
        results = [self._result(name, rows.get(name), compared.get(name), lacking) for name in self.catalog.streams]
        return [result for result in results if result is not None]

    @property
    def compared(self) -> dict[str, tuple[ComparedTable, Tally]]:
        """The tables that were compared, by stream, with what was found in them."""
        chats = [] if self.chats is None else [(CHATS, self.chats.table, self.chats.tally)]
        nested = [(check.stream.name, check.table, check.tally) for check in (self.chats.nested if self.chats else ())]
        lists = [(check.stream.name, check.table, check.tally) for check in self.lists]
        return {name: (table, tally) for name, table, tally in (*chats, *nested, *lists)}

    def _result(
        self, name: str, rows: int | None, compared: tuple[ComparedTable, Tally] | None, lacking: Collection[str]
    ) -> StreamResult | None:
        """Return the result of a stream; None if the file does not have it."""
        if name in self.errors:
            return StreamResult(name, "failed", rows or 0, reason=for_people(str(self.errors[name])))
        if rows is None:
            return StreamResult(name, "not available", 0, reason=LACKING) if name in lacking else None
        if compared is None:
            nested = self.catalog.streams[name].parent_field is not None
            return StreamResult(name, "not compared", rows, reason=WITHOUT_CHATS if nested else NOT_COMPARED)
        table, tally = compared
        result = StreamResult.of(name, rows, tally)
        if rows and not tally.checked:  # outside the export, chats have no engagements
            return replace(result, state="not compared", reason=NOT_COMPARED)
        return replace(result, state="same keys") if table.redaction == "otherwise" and not tally.differs else result

    def _lacking(self) -> set[str]:
        """Return the streams that the account did not have at the last sync."""
        sql = f"""
            SELECT stream FROM {self.stored.table("_sync_run_streams")}
            GROUP BY stream HAVING max_by(result, run) = 'not available'
        """
        return {stream for (stream,) in self.stored.rows(sql)}

    def _require_account(self, held: AccountRow, subdomain: str) -> None:
        """Raise DestinationRefusedError if the file contains another account than the one that responds."""
        path = self.stored.path
        if held.subdomain != subdomain:
            raise DestinationRefusedError(
                f"{path} contains the account {held.subdomain}, but the configuration is for {subdomain}. Choose the file or "
                f"--schema of {subdomain}, or use the configuration of {held.subdomain}."
            )
        try:
            (record,) = self.fetch(Request("account", account))
            key = _account.decode(record).account_key
        except UnavailableError as error:
            if not error.by_api:
                raise
            key = None
        if isinstance(key, str) and held.account_key is not None and key != held.account_key:
            raise DestinationRefusedError(
                f"{path} contains the account {subdomain} with the key {held.account_key}, but {subdomain} now has the key "
                f"{key}. Verify another file, or load the account into another one."
            )

    def _compare_chats(self) -> None:
        table = self.table(CHATS)
        stream, loaded = self.catalog.streams[CHATS], self._loaded(CHATS)
        if table is None or loaded is None or not isinstance(stream.source, Export):
            return
        nested = [check for name in self.catalog.streams if (check := self._nested_check(name))]
        try:
            since = min([loaded.until, *(check.loaded.until for check in nested)])
            changes = read_changes(self.fetch, since)
            self.chats = ChatCheck(table, stream.source, loaded, nested, changes)
            self._compare_chosen(self.chats)
        except ConnectorError as error:
            self.errors[CHATS] = error

    def _compare_chosen(self, check: ChatCheck) -> None:
        choices, rows, partial = self.choices, check.table.count(), self._partial(check.loaded)
        if choices.everything:
            self.fetch.note(f"Comparing all chats of the account with the {rows:,} in the file ...")
            reported = self._compare_all(check)
        else:
            self.fetch.note(f"Comparing {min(rows, choices.sample):,} of {rows:,} chats ...")
            reported = compare_sample(check, self.fetch, choices.sample, choices.seed)
        total = compare_totals(check, reported, partial)
        if not self.compared_all and total.unexplained > 0 and (reported or 0) <= FEW_CHATS:
            self.fetch.note("The account has more chats than the file. Comparing all of them ...")
            self._compare_all(check)
        elif not self.compared_all and total.outcome not in ("equal", "equal with deleted chats"):
            self.fetch.note("Checking which chats the account has at random times ...")
            self.named = compare_named(check, self.fetch, choices.seed)
        self.total = compare_totals(check, reported, partial)

    def _compare_all(self, check: ChatCheck) -> int | None:
        self.compared_all = True
        return compare_all(check, self.fetch)

    def _partial(self, loaded: Loaded) -> str:
        """Return why the file does not contain all chats, or ""."""
        row: StreamRow = self.streams[CHATS]
        if row.completed_at is None or len(loaded.ranges) > 1:
            return "the file is incomplete. Run sync first."
        if loaded.start > 0:
            return f"the file begins at {iso_seconds(loaded.start)}, its start date."
        if loaded.until < self._horizon(CHATS) - _TOLERANCE_US or (self.choices.end is not None):
            return f"the file ends at {iso_seconds(loaded.until)}, its end date."
        return ""

    def _nested_check(self, name: str) -> NestedCheck | None:
        stream = self.catalog.streams[name]
        if stream.parent_field is None:
            return None
        table, loaded = self.table(name), self._loaded(name)
        return None if table is None or loaded is None else NestedCheck(stream, table, loaded)

    def _compare_lists(self) -> None:
        for name in LISTS:
            table = self.table(name)
            if table is None:
                continue
            check = ListCheck(self.catalog.streams[name], table)
            try:
                check.compare(self.fetch)
                self.lists.append(check)
            except ConnectorError as error:
                self.errors[name] = error

    def table(self, name: str) -> ComparedTable | None:
        """Return the table of a stream to compare; None if the file has none."""
        if name not in self.streams:
            return None
        alike = (self.streams[name].redaction or "") == self.catalog.redaction_of(name)
        redaction: Redacted = ("partly" if self.outdated.get(name) else "alike") if alike else "otherwise"
        return ComparedTable.of(self.stored, StreamTable.of(self.catalog.streams[name]), redaction)

    def _loaded(self, name: str) -> Loaded | None:
        """Return what is loaded of an export; None if nothing is loaded yet."""
        stream: Stream = self.catalog.streams[name]
        state = self.streams[name].state if name in self.streams else None
        position = None if state is None else stream.load_state(state)
        return Loaded.of(position, self._horizon(name)) if isinstance(position, ExportPosition) else None

    def _horizon(self, name: str) -> int:
        """Return the time up to which the last complete run has read all changes, microseconds since 1970; 0 without a run."""
        sql = f"""
            SELECT epoch_us(max(started_at)) FROM {self.stored.table("_sync_runs")}
            JOIN {self.stored.table("_sync_run_streams")} done USING (run) WHERE stream = ? AND done.result = 'complete'
        """
        ((started,),) = self.stored.rows(sql, [name])
        if started is None:
            return 0
        seconds = started / SECOND_US - self.choices.lookback - max(0.0, self.fetch.ahead_seconds)
        return int(SECOND_US * (seconds if self.choices.end is None else min(seconds, self.choices.end)))
