"""The fitted model: prediction, checks and its file. No skorch."""
