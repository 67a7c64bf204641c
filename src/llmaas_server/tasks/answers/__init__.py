"""Answers of models: what they may be made of, and what comes of their tokens."""
