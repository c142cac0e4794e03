"""Writes a report as one HTML page, which sends no requests."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from zendesk_chat._version import __version__
from zendesk_chat.json_types import Json
from zendesk_chat.load.status import FileStatus
from zendesk_chat.load.status_report import utc
from zendesk_chat.report.availability import absent, notices
from zendesk_chat.report.charts import CONFIG
from zendesk_chat.report.figures import Figures
from zendesk_chat.report.formats import NONE, long_range, name, number
from zendesk_chat.report.key_figures import key_figures
from zendesk_chat.report.panels import Cell, Row, Table, time_panels
from zendesk_chat.report.ranking_panels import ranking_panels
from zendesk_chat.wording import counted

_LIBRARIES: Final = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")
_IN_SCRIPTS: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
"""Characters that would end or confuse a script element, by their escapes in JSON."""


def render(figures: Figures, now: float) -> str:
    """Return the page of a report, made at ``now``, in seconds since 1970."""
    style, library, script = _text("report.css"), _library(), _text("report.js")
    panels = [*time_panels(figures), *ranking_panels(figures)]
    specs: dict[str, Json] = {panel.id: panel.chart for panel in panels if panel.chart}
    days = figures.period.days
    return (
        _environment()
        .from_string(_text("report.html"))
        .render(
            policy=_policy(style, library, script),
            style=style,
            library=library,
            script=script,
            charts=script_json({"config": CONFIG, "charts": specs}),
            version=__version__,
            account=name(figures.status.subdomain or figures.status.schema),
            period=long_range(figures.period.now),
            before=long_range(figures.period.before) if figures.period.is_comparable else "",
            days=counted(days, "day"),
            time_zone=figures.period.time_zone,
            notices=list(notices(figures)),
            key_figures=key_figures(figures) if figures.has_chats else (),
            panels=panels,
            absent=list(absent(figures)),
            streams=_streams(figures.status),
            last_sync=_last_sync(figures.status),
            made=utc(now),
        )
    )


def script_json(content: Json) -> Markup:
    """Return JSON for a script element. No string in it can end the element."""
    return Markup(msgspec.json.encode(content).decode().translate(_IN_SCRIPTS))  # noqa: S704  escaped in the same line


def _policy(style: str, *scripts: str) -> str:
    """Return the Content-Security-Policy: our own style and scripts run, and no requests are sent."""
    allowed = " ".join(map(_digest, scripts))
    return f"default-src 'none'; script-src {allowed}; style-src {_digest(style)}; base-uri 'none'; form-action 'none'"


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _library() -> Markup:
    """Return Vega, Vega-Lite and Vega-Embed as one script, after their licences."""
    folder = _folder() / "vega"
    licences = (folder / "LICENCES.txt").read_text("utf-8")
    scripts = [(folder / library).read_text("utf-8") for library in _LIBRARIES]
    return Markup("\n".join([f"/*!\n{licences}*/", *scripts]))  # noqa: S704  nothing from outside is in it


def _text(file: str) -> Markup:
    """Return one of our own files, which is not escaped."""
    return Markup((_folder() / file).read_text("utf-8"))  # noqa: S704  nothing from outside is in it


def _folder() -> Traversable:
    return files("zendesk_chat.report") / "page"


def _last_sync(status: FileStatus) -> str:
    run = status.last_run
    if run is None:
        return "No sync has run yet."
    return f"Last sync: {run.result}, {utc(run.started_at)}."


def _streams(status: FileStatus) -> Table:
    rows = tuple(
        Row(
            stream.stream,
            (
                Cell(NONE) if stream.rows is None else Cell(number(stream.rows), stream.rows),
                Cell(NONE if stream.completed_at is None else utc(stream.completed_at)),
                Cell(stream.result or NONE),
            ),
        )
        for stream in status.streams
    )
    return Table("Stream", ("Rows", "Last complete", "Last run"), rows)
