"""The page of accuracies, made from files of results; fits nothing."""
