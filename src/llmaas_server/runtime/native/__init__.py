"""Models on the kernels: which ones can be, their weights, and their steps."""
