"""Fits and predictions on a GPU against those on the CPU, by rows and width."""
