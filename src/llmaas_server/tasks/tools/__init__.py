"""Tools in chat: how models write calls, and how they are told of tools."""
