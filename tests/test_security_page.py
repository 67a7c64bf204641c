"""SECURITY.md names the tests that hold what it promises; they are there."""

from __future__ import annotations

import re

from support.sources import ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
PATHS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT)))


def test_every_defence_names_a_test_that_exists() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and line.count("|") == 4]
    defences = [row for row in rows if "tests/" in row]
    assert len(defences) == len(rows) - 2 >= 10  # beside the head of the table
    missing = [path for path in PATHS if not (ROOT / path).is_file()]
    assert not missing


def test_it_says_how_to_report_and_what_is_not_defended() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert {"Report a flaw", "Against whom", "What is not defended"} <= set(headings)
