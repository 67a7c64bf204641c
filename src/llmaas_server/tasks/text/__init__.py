"""Text as tasks see it: sentences, words, windows of tokens, stop strings. Pure."""
