"""The two ways to summarize: pick sentences of the source, or write new ones."""
