"""Sequences of vectors, such as images and speech, with one label each."""
