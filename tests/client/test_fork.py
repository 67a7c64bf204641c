from __future__ import annotations

import os
import sys

import pytest

from llmaas_client import Client
from support import answers
from support.http_server import Exchange, serving


def hello(exchange: Exchange) -> None:
    exchange.answer(answers.chat())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own() -> None:
    with serving(hello) as server, Client(server.url) as client:
        client.chat("parent")
        child = os.fork()
        if child == 0:  # no assertion here: pytest's own machinery is a copy
            good = client.chat("child").text == "Hello you"
            sys.stdout.flush()
            os._exit(0 if good else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        client.chat("parent again")
        assert server.connections == 2
