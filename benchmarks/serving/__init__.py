"""A service that keeps conversations, under load and with processes that are killed."""
