"""Pretrained vectors beside n-grams, against linear models on the same features."""
