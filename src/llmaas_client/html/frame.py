"""What all pictures are made of: a frame with its colours, text that is escaped, small tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

HTML = NewType("HTML", str)
"""Markup whose text was escaped: by `text`, or by what made it."""

# Colours lie over the ground of the page, whatever that is; text keeps the page's own colour. The
# rules say it again for dark ground, in the ways in which notebooks name it.
_LIGHT = "--for:37,99,235;--against:217,119,6;--bad:220,38,38;--quiet:.65"
_DARK = "--for:96,165,250;--against:251,191,36;--bad:248,113,113;--quiet:.75"
_STYLE = f"""<style>
.llmaas{{{_LIGHT};font:14px/1.5 system-ui,sans-serif;max-width:60em;margin:.3em 0}}
@media (prefers-color-scheme:dark){{.llmaas{{{_DARK}}}}}
[data-jp-theme-light="true"] .llmaas,.vscode-light .llmaas{{{_LIGHT}}}
[data-jp-theme-light="false"] .llmaas,.vscode-dark .llmaas,html[theme=dark] .llmaas{{{_DARK}}}
.llmaas table{{border-collapse:collapse;margin:.2em 0;font:inherit}}
.llmaas td,.llmaas th{{padding:.1em .6em .1em 0;text-align:left;vertical-align:top}}
.llmaas .n{{text-align:right;font-variant-numeric:tabular-nums}}
.llmaas .q{{opacity:var(--quiet);font-size:12px}}
.llmaas .bad{{color:rgb(var(--bad))}}
.llmaas .bubble{{border-radius:.8em;padding:.4em .8em;margin:.3em 0;white-space:pre-wrap;
background:rgba(128,128,128,.14)}}
.llmaas .bubble.user{{margin-left:20%;background:rgba(var(--for),.16)}}
.llmaas .doubt{{text-decoration:underline wavy rgb(var(--bad))}}
.llmaas sup{{font-size:.7em}} .llmaas details{{margin:.2em 0}}
</style>"""

_TRACK = "width:12em;height:.8em;margin-top:.35em;background:rgba(128,128,128,.2)"
_FILL = "height:100%;background:rgba(var(--for,37,99,235),.75)"

MOST_CHARACTERS = 300
"""Of a text of the user's that is shown to say what a result is about."""


def frame(*parts: HTML) -> str:
    """A whole picture."""
    return f'<div class="llmaas">{_STYLE}{"".join(parts)}</div>'


def text(value: object) -> HTML:
    """Text as text: nothing in it is markup."""
    return HTML(escape(str(value), quote=True))


def brief(value: str, most: int = MOST_CHARACTERS) -> HTML:
    """The beginning of a text, with a mark where it goes on."""
    return text(value if len(value) <= most else f"{value[:most]}…")


def tag(name: str, *inside: HTML, **attributes: str) -> HTML:
    """An element. `klass` is its class; values are escaped here."""
    given = "".join(
        f' {"class" if key == "klass" else key}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return HTML(f"<{name}{given}>{''.join(inside)}</{name}>")


def quiet(*parts: str) -> HTML:
    """A line of small print; empty parts are left out, and the line with them."""
    line = " · ".join(part for part in parts if part)
    return tag("div", text(line), klass="q") if line else HTML("")


def bar(share: float) -> HTML:
    """A filled track; `share` is from 0 to 1."""
    width = f"width:{max(0.0, min(1.0, share)):.1%}"
    fill = tag("div", style=f"{width};{_FILL}")
    return tag("div", fill, style=_TRACK)


def table(head: Sequence[str], rows: Iterable[Sequence[HTML]], numbers: Iterable[int] = ()) -> HTML:
    """Rows under a head; `numbers` are the columns that are aligned to the right."""
    right = set(numbers)

    def cell(name: str, at: int, inside: HTML) -> HTML:
        return tag(name, inside, klass="n") if at in right else tag(name, inside)

    lines = [tag("tr", *(cell("td", at, inside) for at, inside in enumerate(row))) for row in rows]
    names = tag("tr", *(cell("th", at, text(name)) for at, name in enumerate(head)))
    return tag("table", *((names,) if any(head) else ()), *lines)
