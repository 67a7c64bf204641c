"""Tables and sizes as commands print them: for people on a terminal, plain for everything else."""

from __future__ import annotations

from llmaas_client.cli.tables import print_json as print_json
from llmaas_client.cli.tables import print_table as print_table


def size_text(count: int) -> str:
    """Bytes for people, in powers of ten as shops and the hub have them: `92.9 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def count_text(count: int) -> str:
    """Parameters for people: `135M`, `1.7B`."""
    return f"{count / 1e9:.1f}B" if count >= 999.5e6 else f"{count / 1e6:.0f}M"
