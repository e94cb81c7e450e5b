"""Rows and their groups to batches of the network."""
