"""A page for terminals: its tables and words; plots stay in the files."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmaas_client.display import clean

from .document import Document, Drawing, Grid, Heading, Paragraph, Points


def show(document: Document, console: Console) -> None:
    """What a terminal has room for: no plots, and no tables of details."""
    console.print(Text(clean(document.title), style="bold"))
    for block in document.blocks:
        match block:
            case Heading(text):
                console.print()
                console.print(Text(clean(text), style="bold"))
            case Paragraph(text):
                console.print(Text(clean(text)))
            case Points(points):
                for point in points:
                    console.print(Text(f"- {clean(point)}"))
            case Grid():
                if block.lead and not block.detail:
                    console.print(Text(clean(block.lead)))
                if not block.detail:
                    console.print(_table(block))
            case Drawing():
                pass


def _table(grid: Grid) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, name in enumerate(grid.header):
        is_words = column in grid.words
        table.add_column(
            Text(clean(name)), justify="left" if is_words else "right", no_wrap=not is_words
        )
    for row in grid.rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    return table
