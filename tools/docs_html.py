"""Find what is broken in a built site: links, anchors, and anything that a page would load from elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

ORIGIN: Final = "https://site.invalid/"
LOADED: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
LOADING_RELATIONS: Final = {"stylesheet", "preload", "preconnect", "icon", "dns-prefetch", "modulepreload"}


@dataclass
class Page(HTMLParser):
    """The links, the anchors and the resources of an HTML page."""

    text: str
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    resources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what an element refers to, and its id."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and set(values.get("rel", "").split()) & LOADING_RELATIONS:
            self.resources.append(values.get("href", ""))
        if tag in LOADED and LOADED[tag] in values:
            self.resources.append(values[LOADED[tag]])


@dataclass(frozen=True)
class Site:
    """A built site.

    Args:
        folder: Where it is.
    """

    folder: Path

    @cached_property
    def pages(self) -> dict[str, Page]:
        """The pages by their path."""
        files = sorted(self.folder.rglob("*.html"))
        return {file.relative_to(self.folder).as_posix(): Page(file.read_text(encoding="utf-8")) for file in files}

    def problem(self, page: str, target: str) -> str:
        """Return what is wrong with a link of a page, or an empty string."""
        address = urlsplit(urljoin(ORIGIN + page, target))
        if not address.geturl().startswith(ORIGIN):
            return ""
        path = unquote(address.path).lstrip("/")
        if not path or path.endswith("/"):
            path += "index.html"
        if not (self.folder / path).exists():
            return f"{target} does not exist"
        if address.fragment and path in self.pages and unquote(address.fragment) not in self.pages[path].anchors:
            return f"{target}: nothing on the page has this anchor"
        return ""

    def problems(self, path: str, page: Page) -> Iterator[str]:
        """Yield a sentence for each broken link of a page, and for each resource of another host."""
        for target in [*page.links, *page.resources]:
            if what := self.problem(path, target):
                yield what
        for target in page.resources:
            if urlsplit(target).scheme in {"http", "https"} or target.startswith("//"):
                yield f"{target} would be loaded from another host"


def broken(folder: Path, without: Sequence[str] = ("404.html",)) -> list[str]:
    """Return a sentence for everything that is broken in a site. The page for lost addresses has absolute links."""
    site = Site(folder)
    return [f"{path}: {what}" for path, page in site.pages.items() if path not in without for what in site.problems(path, page)]
