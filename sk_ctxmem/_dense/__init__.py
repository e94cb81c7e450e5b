"""Dense features beside those of the texts: embeddings. No groups, no torch."""
