"""The five key figures of a report, compared with the period before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from zendesk_chat.report.figures import Figures
from zendesk_chat.report.formats import number, percent, seconds
from zendesk_chat.wording import counted

Verdict: TypeAlias = Literal["better", "worse", ""]

_MANY: Final = 10  # chats a day, above which tenths do not matter
_POINT: Final = 1  # a share that changes by less is about the same
_PART: Final = 20  # a time that changes by less than one such part, 5%, is about the same
_UP, _DOWN, _NO_ARROW = "▲", "▼", ""


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure changed.

    Attributes:
        arrow: Up or down; empty for no change, and for one that is too small to matter.
        amount: The size of the change, in words.
        verdict: Whether the change is good; empty if it is neither good nor bad.
    """

    arrow: str
    amount: str
    verdict: Verdict = ""


_UNCHANGED: Final = Change(_NO_ARROW, "no change")
_SIMILAR: Final = Change(_NO_ARROW, "about the same")


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One key figure, ready to be shown.

    Attributes:
        value: The exact value, as in the views; None if there is none.
        shown: The same for people.
        detail: A second figure that explains it.
        before: The figure of the period before, for people; empty if the file does not have that period completely.
        change: None if they cannot be compared.
    """

    id: str
    title: str
    value: float | None
    shown: str
    detail: str
    before: str
    change: Change | None


def key_figures(figures: Figures) -> tuple[KeyFigure, ...]:
    """Return the five key figures."""
    found = (_chats(figures), _missed(figures), *_responses(figures), _satisfaction(figures))
    if figures.period.is_comparable:
        return found
    return tuple(replace(figure, before="", change=None) for figure in found)


def _chats(figures: Figures) -> KeyFigure:
    now, before = figures.now.chats, figures.before.chats
    a_day = now / figures.period.days
    detail = f"{number(round(a_day))} a day" if a_day >= _MANY else f"{a_day:.1f} a day"
    return KeyFigure("chats", "Chats", now, number(now), detail, number(before), _growth(now, before))


def _missed(figures: Figures) -> KeyFigure:
    """Return the missed chats. Their share decides whether a change is good, because more chats alone make no team worse."""
    now, before = figures.now, figures.before
    detail, earlier = f"{percent(now.missed_share)} of chats", f"{number(before.missed)} ({percent(before.missed_share)})"
    change = _points(now.missed_share, before.missed_share, more_is_better=False)
    return KeyFigure("missed", "Missed chats", now.missed, number(now.missed), detail, earlier, change)


def _responses(figures: Figures) -> tuple[KeyFigure, KeyFigure]:
    now, before = figures.now, figures.before
    p50, p50_before = now.first_response_seconds_p50, before.first_response_seconds_p50
    p90, p90_before = now.first_response_seconds_p90, before.first_response_seconds_p90
    detail = counted(now.answered, "answered chat")
    median, within = "First response, median", "First response, p90"
    return (
        KeyFigure("response-p50", median, p50, seconds(p50), detail, seconds(p50_before), _faster(p50, p50_before)),
        KeyFigure("response-p90", within, p90, seconds(p90), detail, seconds(p90_before), _faster(p90, p90_before)),
    )


def _satisfaction(figures: Figures) -> KeyFigure:
    now, before = figures.now, figures.before
    share, detail = now.good_share, f"{number(now.good)} good, {number(now.bad)} bad"
    change = _points(share, before.good_share, more_is_better=True)
    return KeyFigure("satisfaction-share", "Satisfaction", share, percent(share), detail, percent(before.good_share), change)


def _growth(now: int, before: int) -> Change | None:
    if not before:
        return None
    if now == before:
        return _UNCHANGED
    return Change(_arrow(now - before), f"{percent(abs(now - before) / before)} {'more' if now > before else 'fewer'}")


def _points(now: float | None, before: float | None, *, more_is_better: bool) -> Change | None:
    """Compare two shares in percentage points, as they are shown."""
    if now is None or before is None:
        return None
    points = round(now * 100, 1) - round(before * 100, 1)
    amount = f"{abs(points):.1f}".removesuffix(".0")
    if amount == "0":
        return _UNCHANGED
    if float(amount) < _POINT:
        return _SIMILAR
    unit = "point" if amount == "1" else "points"
    return Change(_arrow(points), f"{amount} {unit}", "better" if (points > 0) is more_is_better else "worse")


def _faster(now: float | None, before: float | None) -> Change | None:
    if now is None or before is None:
        return None
    if seconds(now) == seconds(before):
        return _UNCHANGED
    if abs(now - before) * _PART < before:
        return _SIMILAR
    slower = now > before
    amount = f"{seconds(abs(now - before))} {'slower' if slower else 'faster'}"
    return Change(_arrow(now - before), amount, "worse" if slower else "better")


def _arrow(difference: float) -> str:
    return _UP if difference > 0 else _DOWN
