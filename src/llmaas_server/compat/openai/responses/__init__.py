"""`POST /v1/responses`: chat without a memory, in the shape of the newer OpenAI clients."""
