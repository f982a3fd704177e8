"""Saved conversations as one HTML page. All text is escaped; only code blocks become markup. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from llmchat.sanitize import sanitize
from llmchat.store import ConversationExport
from llmchat.transcripts.headings import about, heading, title_of

# No script, and nothing for a browser to load: the policy would hold even if a text was not escaped.
_PAGE = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{
  color-scheme: light dark;
  --text: #1c1e21; --dim: #5d6570; --page: #fff; --you: #eef3fb; --code: #f4f4f2;
}}
@media (prefers-color-scheme: dark) {{
  :root {{ --text: #e4e6e9; --dim: #9aa3af; --page: #16181b; --you: #212a38; --code: #22252a; }}
}}
body {{ max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; }}
h1 {{ font-size: 1.4rem; overflow-wrap: anywhere; }}
h3 {{ font-size: .95rem; margin: 0 0 .3rem; }}
h3 small, .about {{ color: var(--dim); font-weight: normal; }}
.message {{ margin: 1rem 0; padding: .7rem 1rem; border-radius: .6rem; }}
.user {{ background: var(--you); }}
.text {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
pre {{ margin: .5rem 0; padding: .7rem; border-radius: .4rem; background: var(--code); overflow-x: auto;
  white-space: pre; font: .9rem/1.45 ui-monospace, monospace; }}
a {{ color: inherit; }}
@media print {{ .message {{ break-inside: avoid-page; }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def to_html(conversations: Sequence[ConversationExport]) -> str:
    """A self-contained page, for light and dark mode."""
    parts = []
    if len(conversations) > 1:
        links = (
            f'<li><a href="#{escape(each.id)}">{_text(title_of(each))}</a></li>' for each in conversations
        )
        parts.append(f"<h1>Conversations</h1>\n<ul>\n{''.join(links)}\n</ul>")
    parts += map(_conversation, conversations)
    title = title_of(conversations[0]) if len(conversations) == 1 else "Conversations"
    return _PAGE.format(title=_text(title), body="\n".join(parts))


def _conversation(export: ConversationExport) -> str:
    parts = [
        f'<section id="{escape(export.id)}">',
        f"<h1>{_text(title_of(export))}</h1>",
        f'<p class="about">{_text(about(export))}</p>',
    ]
    if export.system:
        parts.append(_message("system", "System", export.system))
    parts += [_message(r.message.role, heading(r), r.message.text) for r in export.branch()]
    return "\n".join([*parts, "</section>"])


def _message(kind: str, said_by: str, text: str) -> str:
    speaker, _, origin = said_by.partition(" (")
    small = f" <small>{_text(origin.removesuffix(')'))}</small>" if origin else ""
    return f'<div class="message {kind}">\n<h3>{speaker}{small}</h3>\n{"".join(_blocks(text))}\n</div>'


def _blocks(text: str) -> Iterable[str]:
    """The text with its code blocks set apart, the same that a terminal numbers."""
    from llmchat.markdown import CodeBlock, split_code  # imported here to keep the first prompt fast

    for part in split_code(text):
        if isinstance(part, CodeBlock):
            code = part.text and f"{part.text}\n"
            yield f"<pre><code>{_text(code)}</code></pre>"
        elif shown := part.strip("\n"):
            yield f'<div class="text" dir="auto">{_text(shown)}</div>'


def _text(text: str) -> str:
    return escape(sanitize(text))
