"""What a terminal shows of a map."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmaas_client import MapProgress
from llmaas_client.batch.progress import Callback, Line, Nowhere, display_for

HALF = MapProgress(
    done=450, failed=50, resumed=100, total=1000, seconds=40.0, concurrency=4, retries=0
)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (HALF, "500 of 1000 (50%), 50 failed, 10.0/s, 0:50 left"),
        (replace(HALF, total=None, failed=0), "450, 8.8/s"),
        (replace(HALF, total=100_000), "500 of 100000 (0%), 50 failed, 10.0/s, 2:45:50 left"),
        (replace(HALF, done=0, failed=0, resumed=0, seconds=0.0), "0 of 1000 (0%), 0.0/s"),
    ],
)
def test_says_how_far_it_has_come(progress: MapProgress, text: str) -> None:
    assert str(progress) == text


def test_one_line_that_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    line = Line("chat", lambda: now[0])
    for at in (0.0, 0.01, 0.2):
        now[0] = at
        line.show(HALF, is_last=False)
    line.show(HALF, is_last=True)
    shown = capsys.readouterr().err
    assert shown.count("\r") == 3, "not more often than eyes see"
    assert shown.endswith("left\n")


def test_where_nobody_looks_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(display_for(False, "chat", float), Nowhere)
    assert isinstance(display_for(lambda at: None, "chat", float), Callback)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    assert isinstance(display_for(True, "chat", float), Nowhere)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert isinstance(display_for(True, "chat", float), Line)
