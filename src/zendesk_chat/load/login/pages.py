"""The pages that the browser shows after a sign-in. They send requests only to this program."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --text: #1d2126; --line: #d9dde2; --good: #17655a; --bad: #a8331f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14161a; --card: #1f2329; --text: #e7e9ec; --line: #363c45; --good: #5cc4b3; --bad: #f0917f; }
}
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; background: var(--page); color: var(--text); }
main { box-sizing: border-box; width: min(30rem, calc(100% - 2rem)); padding: 2rem; border-radius: 12px;
  background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--good); }
main.bad { border-top-color: var(--bad); }
h1 { margin: 0 0 .75rem; font-size: 1.35rem; line-height: 1.3; }
p { margin: 0; overflow-wrap: anywhere; }
p + p { margin-top: .75rem; }
footer { margin-top: 1.5rem; font-size: .85rem; opacity: .75; }
"""
# The code has been used, and need not stay in the address bar.
TIDY: Final = 'history.replaceState(null, "", "/");'
# The token is in the fragment, which browsers do not send. It leaves the address before anything else is done with it.
HAND_OVER: Final = """
const answer = location.hash.slice(1);
history.replaceState(null, "", "/");
const show = (outcome) => {
  document.querySelector("main").className = outcome.good ? "" : "bad";
  document.querySelector("h1").textContent = document.title = outcome.title;
  const parts = outcome.text.split("`").map((part, number) => {
    const node = document.createElement(number % 2 ? "code" : "span");
    node.textContent = part;
    return node;
  });
  document.querySelector("p").replaceChildren(...parts);
};
if (answer) {
  fetch("/", { method: "POST", body: answer, headers: { "Content-Type": "application/x-www-form-urlencoded" } })
    .then((response) => response.json())
    .then(show)
    .catch(() => show({ title: "The terminal does not respond", text: "Run zendesk-chat login again.", good: false }));
} else {
  const text = "Open the address that zendesk-chat login printed in the terminal.";
  show({ title: "Waiting for a sign-in", text, good: true });
}
"""
NO_SCRIPT: Final = (
    "<noscript><p>This page needs JavaScript. Without it, run <code>zendesk-chat login --no-browser</code> "
    "and paste the address of this page.</p></noscript>"
)
_CODE: Final = re.compile("`([^`]+)`")
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main{kind} aria-live="polite">
<h1>{title}</h1>
<p>{text}</p>
{more}<footer>zendesk-chat</footer>
</main>
<script>{script}</script>
</body>
</html>
"""


def result_page(title: str, text: str, *, good: bool) -> str:
    """Return the page for an outcome."""
    return _page(title, text, TIDY, good=good)


def hand_over_page() -> str:
    """Return the page that hands over the token in its address's fragment, and then shows the outcome."""
    return _page("Signing in", "Checking what the token can read.", HAND_OVER, good=True, more=f"{NO_SCRIPT}\n")


def security_headers() -> dict[str, str]:
    """Return the headers of every page: only its own style and scripts work, and send requests only to this program."""
    scripts = " ".join(map(_hash, (TIDY, HAND_OVER)))
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {scripts}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _page(title: str, text: str, script: str, *, good: bool, more: str = "") -> str:
    return _PAGE.format(
        title=html.escape(title),
        text=_CODE.sub(r"<code>\1</code>", html.escape(text)),
        style=STYLE,
        script=script,
        kind="" if good else ' class="bad"',
        more=more,
    )


def _hash(content: str) -> str:
    """Return what allows exactly this style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
