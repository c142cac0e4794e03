"""Matches all rules against the positions in a record at once.

A path with wildcards matches positions in a record like a regular expression matches a string. So an automaton matches them: a
node is the set of rules that may still match, each with the number of segments that have matched so far. For the rules
``visitor.email`` and ``**.name``, the record's node is {``visitor.email`` 0, ``**.name`` 0}. The key ``visitor`` leads to
{``visitor.email`` 1, ``**.name`` 0}, and from there ``email`` leads to a node where the first rule is complete. A node is
created when a record, or a schema, first leads to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Literal, NamedTuple

from zendesk_chat.redaction.actions import Change, Treatment, strongest, to_null, treatments
from zendesk_chat.redaction.fields import fields_of, rules_for
from zendesk_chat.redaction.rules import ANY_KEY, ANY_LEVELS, WILDCARDS, Path, Redaction, Rule


class State(NamedTuple):
    """How far a rule's path has matched."""

    rule: Rule
    matched: int  # segments
    named: bool  # whether the last segment is a name and the path continues, so that the value should be an object or array

    @property
    def complete(self) -> bool:
        """Whether the rule is for the value at this position."""
        return self.matched == len(self.rule.path)

    def skipping_levels(self) -> Iterator[State]:
        """Yield the state itself, and the one after a ``**`` that matches no level."""
        yield self
        if not self.complete and self.rule.path[self.matched] == ANY_LEVELS:
            yield State(self.rule, self.matched + 1, self.named)

    @property
    def _follows_name(self) -> bool:
        """Return whether a name precedes this segment: in ``chats.a.*.email`` each value in ``a`` should be an object."""
        return self.matched > self.rule.implied and self.rule.path[self.matched - 1] not in WILDCARDS

    def after(self, key: str | None) -> Iterator[State]:
        """Yield the states below a key, or below an item of an array if it is None."""
        segment, is_item = self.rule.path[self.matched], key is None
        if segment == ANY_LEVELS:
            yield self._replace(named=self.named and is_item)
        elif segment == ANY_KEY:
            yield State(self.rule, self.matched + 1, self.named and (is_item or self._follows_name))
        elif is_item:
            yield self  # chats.history.msg continues through the array
        elif key == segment:
            yield State(self.rule, self.matched + 1, named=True)


@dataclass(frozen=True, eq=False)
class Node:
    """What the rules do with the value at a position."""

    graph: Graph
    within: Treatment | None  # what the rules that are complete here or further up do with the value and everything in it
    kept: bool  # whether a scalar stays unchanged
    is_list: bool  # whether the value is known to be an array
    ahead: frozenset[State]  # states of the rules that continue

    @cached_property
    def removal(self) -> Literal["drop", "null"] | None:
        """What happens to an object or array, if its content does not matter."""
        return self.within.action if self.within and self.within.action in ("drop", "null") else None

    @cached_property
    def removes_object(self) -> bool:
        """Whether an object is removed: by its rule, or because a rule expects an array here."""
        return self.removal is not None or (self.is_list and self._is_named)

    @cached_property
    def drops(self) -> bool:
        """Whether the key of a scalar is removed."""
        return self.removal == "drop" and not self.kept

    @cached_property
    def change(self) -> Change | None:
        """What happens to a scalar. Null wins if a rule expects an object here."""
        if self.kept:
            return None
        if self._is_named:
            return to_null
        return self.within.change(self.graph.hash_key) if self.within else None

    @cached_property
    def names(self) -> Mapping[str, Node | None]:
        """The nodes below the keys that rules name, if they differ from ``other``."""
        names = {state.rule.path[state.matched] for state in self.ahead} - {*WILDCARDS}
        return {name: node for name in sorted(names) if (node := self._below(name)) is not self.other}

    @cached_property
    def other(self) -> Node | None:
        """The node below any other key."""
        return self._below("")

    @cached_property
    def item(self) -> Node | None:
        """The node below the items of an array."""
        return self._below(None)

    def key(self, name: str) -> Node | None:
        """Return the node below a key."""
        return self.names.get(name, self.other)

    @cached_property
    def _is_named(self) -> bool:
        return any(state.named and state.rule.action not in ("keep", "list") for state in self.ahead)

    def _below(self, key: str | None) -> Node | None:
        return self.graph.node(chain.from_iterable(state.after(key) for state in self.ahead), self.within)


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes that rules lead to."""

    hash_key: bytes
    _nodes: dict[tuple[frozenset[State], Treatment | None, frozenset[str]], Node] = field(default_factory=dict)

    def node(self, states: Iterable[State], within: Treatment | None) -> Node | None:
        """Return the node for these states, or None if no rule does anything there or below."""
        reached = frozenset(chain.from_iterable(state.skipping_levels() for state in states))
        complete = [state.rule for state in reached if state.complete]
        ahead = frozenset(state for state in reached if not state.complete)
        here = strongest([*treatments(complete), *([within] if within else [])])
        if here is None and not treatments(state.rule for state in ahead):
            return None
        internal = frozenset(rule.action for rule in complete if rule.action in ("keep", "list"))
        new = Node(self, here, "keep" in internal, "list" in internal, ahead)
        return self._nodes.setdefault((ahead, here, internal), new)


def root_node(redaction: Redaction, stream: str) -> Node | None:
    """Return the node of a stream's records; None if no rule applies, or if they are extracted from redacted records."""
    if fields_of(redaction, stream).origin:
        return None
    graph = Graph(redaction.hash_key.encode(errors="surrogatepass"))
    return graph.node([State(rule, 0, named=False) for rule in rules_for(redaction, stream)], None)


def find(root: Node | None, path: Path) -> Node | None:
    """Return the node of a path of known keys and items; None if no rule leads there, or a rule removes something around it."""
    node = root
    for segment in path:
        if node is None or node.removal:
            return None
        node = node.item if segment == ANY_KEY else node.key(segment)
    return node
