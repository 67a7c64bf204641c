"""Chat with documents: what of them the model is given, and what its answer rests on in them."""
