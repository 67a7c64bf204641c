"""One file a page: an object `PAGE`, and the template that it names."""
