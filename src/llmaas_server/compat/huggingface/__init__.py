"""The wire of Hugging Face's `InferenceClient`, translated to our tasks. One file an address."""
