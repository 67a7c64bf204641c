"""The child process that computes: reads calls, runs tasks, writes events. Opens no connection."""
