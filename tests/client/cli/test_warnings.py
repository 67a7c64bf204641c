"""Warnings of results are on standard error, and standard output stays what it is."""

from __future__ import annotations

import pytest

from llmaas_client.cli import main
from support import answers
from support.http_server import serving

WARNING = {"code": "unread_text", "message": "tiny cannot read text:\x1b[2J 93% of the tokens"}


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["words", "json"])
def test_a_warning_is_on_standard_error(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    body = answers.embed() | {"warnings": [WARNING]}
    with serving(lambda exchange: exchange.answer(body)) as server:
        assert main(["embed", "你好", "--base-url", server.url, *words]) == 0
    out, err = capsys.readouterr()
    assert err == "warning: tiny cannot read text:[2J 93% of the tokens\n"
    assert "warning:" not in out
