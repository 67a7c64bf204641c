"""Between the front and the worker: typed values, frames, and the Backend protocol."""
