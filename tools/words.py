"""Check that retired words do not come back: ``python -m tools.words [PATH ...]``.

Identifiers are read as the words that they consist of: ``known_from`` and ``KnownFrom`` are both "known from".
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SUFFIXES: Final = {".py", ".md", ".sql", ".yaml", ".yml", ".toml", ".tf", ".sh", ".html", ""}
FILES: Final = {"src/zendesk_chat/airbyte/spec.json"}  # of the JSON files only this one holds prose
SKIPPED: Final = {
    "tools/words.py": "holds the words",
    "tests/test_words.py": "likewise",
    "docs/licences.md": "generated",
    "LICENSE": "not ours",
    "src/zendesk_chat_sandbox/conversations.py": "sentences of fake chats",
    "src/zendesk_chat_sandbox/vocabulary.py": "likewise",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A retired word.

    Args:
        pattern: Finds the word between word boundaries, in any case.
        instead: What to write instead.
        allowed: Finds the right uses of the word.
    """

    pattern: str
    instead: str
    allowed: str = r"(?!)"

    def find(self, line: str) -> list[str]:
        """Return each wrong use in a line."""
        rest = re.sub(rf"\b(?:{self.allowed})\b", "", line, flags=re.IGNORECASE)
        return re.findall(rf"\b(?:{self.pattern})(?!\w)", rest, re.IGNORECASE)


WORDS: Final = (
    Word("whole", "complete", allowed="whole (?:numbers?|(?:epoch )?(?:micro)?seconds|minutes|days|list)|as a whole"),
    Word("told|tells?", "report, emit, log, show", allowed=r"tell [^.]{1,40} apart|(?<=\.)tell(?=\()"),
    Word("says|said", "report, emit, log, describe", allowed="(?:visitor|agent|server) says"),
    Word("accounts? of (?:a|an|the|each|every) streams?|balances?", "record counts; add up"),
    Word("cuts? (?:out|from)|cutting|cutters?|chat parts|parts of (?:a )?chats?", "nested, derived, extract"),
    Word("(?:left|leaves?|leaving) out", "skipped, unchanged"),
    Word("(?:go|goes|gone|going|went) on", "resume, continue"),
    Word("a text|texts", "a string", allowed="a text (?:column|field|file|editor)"),
    Word("younger|older than (?:a|an|the|this|that) (?:moment|time|date)", "after, before"),
    Word("(?:un)?packed|unpacks?|unpacking", "compressed, decompressed", allowed=r"(?<=\.)unpack(?=\()"),
    Word("faces?", "entry point"),
    Word("stand in|stand-in|pretend|pretended|invented", "sandbox, simulated, fake"),
    Word("incumbents?|peers?", "Airbyte's connector; program", allowed="reset by peer|peer (?:closed|certificate)"),
    Word(
        "places?",
        "position, slot, path",
        allowed="in place(?: of)?|in (?:its|their|the) place|takes? place|taking place|decimal places?|(?:first|last) place",
    ),
    Word("stands?|stood", "is", allowed="stands? (?:for|alone)"),
    Word("mend(?:s|ed|ing)?", "repair, fix"),
    Word("aside", "rejected"),
    Word("ledgers?", "SyncStats"),
    Word("lanes?|room|spare[sd]?", "concurrency limit, free slots"),
    Word("watch(?:es|ed|ing|er)?", "drift detector, observe", allowed="Watched ?File ?Handler"),
    Word("look(?:s|ed|ing)?", "observe", allowed=r"look(?:s|ed|ing)? (?:(?:\w+ )?up|like|for|into)"),
    Word("findings|(?-i:Finding)", "SchemaChange"),
    Word("spells?", "throttling episode"),
    Word("hopeless|patient", "should_give_up, max_attempts"),
    Word("doubts?", "stuck_retries"),
    # A state of version 1 has a field of this name.
    Word("known from", "complete_until", allowed=r"known from(?=[`\"])|own\.known from|known from(?=: object)"),
    Word("stretch(?:es)?", "TimeRange"),
    Word("moments?", "time", allowed="again in a moment"),
    Word(r"zendesk chat\.connect|from zendesk chat import [\w, ]*connect", "Account(...)"),
    Word("pip install ['\"]?source-zendesk-chat", "zendesk-chat (source-zendesk-chat on PyPI is somebody else's)"),
)
MODULES: Final = {"utils.py", "helpers.py", "manager.py", "base.py", "common.py"}


def words_of(line: str) -> str:
    """Return a line with its identifiers split into words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", line)


def problems(name: str, text: str) -> Iterator[str]:
    """Yield a message for each retired word in a file."""
    if PurePosixPath(name).name in MODULES:
        yield f"{name}: a module is called for what it holds"
    for number, line in enumerate([name.replace("-", "_"), *text.splitlines()]):  # line 0 is the name of the file
        for word in WORDS:
            for found in word.find(words_of(line)):
                yield f"{name}:{number}: '{found}'; write: {word.instead}"


def files() -> Iterator[str]:
    """Yield the files to check: everything with prose or identifiers that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        known = PurePosixPath(name).suffix in SUFFIXES or name in FILES
        if known and name not in SKIPPED and (ROOT / name).is_file():
            yield name


def main() -> int:
    """Print each retired word, and return 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="only these files and folders; default: all")
    options = parser.parse_args()
    chosen = [name for name in files() if name.startswith(tuple(options.paths) or "")]
    found = [message for name in chosen for message in problems(name, (ROOT / name).read_text())]
    print("".join(f"{message}\n" for message in found), end="")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
