"""Speed and memory, compared with linear models on TF-IDF features and with fastText."""
