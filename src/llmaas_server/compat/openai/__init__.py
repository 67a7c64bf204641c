"""The wire of the OpenAI SDK, translated to our tasks. One file an address."""
