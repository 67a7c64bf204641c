"""A page as HTML that stands alone: no script, nothing loaded, light or dark."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Block, Document, Drawing, Grid, Heading, Paragraph, Points
from .markup import escaped

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d0d7de;
  --paper: #ffffff; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --paper: #0d1117; --shade: #151b23; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; } figure { margin: 1rem 0; overflow-x: auto; }
figcaption { color: var(--soft); font-size: 0.9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; vertical-align: top; }
th { background: var(--shade); } .words { text-align: left; white-space: normal; }
""".strip()

# Nothing of a page may run or be loaded, whatever labels and texts have in them.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(document: Document) -> str:
    """A file of its own."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(document.title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            part(document),
            "</body>",
            "</html>",
            "",
        ]
    )


def part(document: Document) -> str:
    """What stands inside a page: for notebooks, too."""
    lines = [f"<h1>{escaped(document.title)}</h1>"]
    for block in document.blocks:
        lines += _block(block)
    return "\n".join(lines)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{escaped(text)}</h2>"
        case Paragraph(text):
            yield f"<p>{escaped(text)}</p>"
        case Points(points):
            yield "<ul>"
            yield from (f"<li>{escaped(point)}</li>" for point in points)
            yield "</ul>"
        case Drawing(_, plot, caption):
            drawn = plot.svg(caption)
            yield f"<figure>{drawn}<figcaption>{escaped(caption)}</figcaption></figure>"
        case Grid():
            yield from _grid(block)


def _grid(grid: Grid) -> Iterator[str]:
    def cells(kind: str, texts: Iterator[str]) -> str:
        return "".join(
            f"<{kind}{' class=words' if column in grid.words else ''}>{text}</{kind}>"
            for column, text in enumerate(texts)
        )

    if grid.lead:
        yield f"<p>{escaped(grid.lead)}</p>"
    yield '<div class="wide"><table>'
    yield f"<thead><tr>{cells('th', map(escaped, grid.header))}</tr></thead>"
    yield "<tbody>"
    for row in grid.rows:
        yield f"<tr>{cells('td', map(escaped, row))}</tr>"
    yield "</tbody></table></div>"
