"""Batching of rows and groups. May import _runtime, _input, _files, _network and _features."""
