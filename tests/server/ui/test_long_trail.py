"""A trail of ten thousand rows is shown a page at a time, the last page as soon as the first."""

from __future__ import annotations

import asyncio
import re

from llmaas_server.gateway.trail import Entry
from llmaas_server.storage.tables import Tables
from support.console import Person

ROWS = 10_000


def test_ten_thousand_rows(owner: Person) -> None:
    services = owner.server.services

    def fill(tables: Tables) -> None:
        for number in range(ROWS):
            services.trail.add(tables, Entry("operator", "local", "models.change", f"m{number}"))

    asyncio.run(services.database.write(fill))
    first = owner.http.get("/console/audit").text
    numbers = rows_of(first)
    assert len(numbers) == 100
    assert numbers[0] > ROWS
    last = rows_of(owner.http.get("/console/audit?before=51").text)
    assert last == list(range(50, 0, -1))
    assert len(first) < 200_000


def rows_of(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'<td class="number">(\d+)</td>', page)]
