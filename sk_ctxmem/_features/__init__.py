"""Texts and columns to scaled features: vectorizer, n-grams and scaler. No groups, no torch."""
