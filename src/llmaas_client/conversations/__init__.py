"""Conversations that remember: sessions, their histories, and what they do beyond a context."""
