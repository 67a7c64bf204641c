"""Chat: a conversation, streamed."""

from __future__ import annotations

from llmaas_server.ui.page import Page

PAGE = Page("/chat", "Chat", "pages/chat.html", section="Playground", order=30)
