"""Rows to a trained network. The only room that imports skorch."""
