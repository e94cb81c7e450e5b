"""Tensors to logits: the network in plain torch. Imports nothing of the other rooms."""
