"""The pages of docs/reference: each module has `lines()`, the page made from the code."""
