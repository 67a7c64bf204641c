"""Tasks: text in, text out. One file is one task; the folders hold what they are made of."""
