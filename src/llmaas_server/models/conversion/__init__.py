"""GGUF to what transformers reads. Only the process of `models.convert` imports these files."""
