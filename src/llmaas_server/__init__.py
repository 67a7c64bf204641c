"""The llmaas server. The front process imports no torch; the worker process opens no connection."""
