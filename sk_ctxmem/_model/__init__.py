"""Fitted model: prediction, validation and files. Imports no skorch."""
