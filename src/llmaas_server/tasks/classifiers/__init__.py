"""The four ways to classify. Each reads a request into a `Scoring`, which scores it."""
