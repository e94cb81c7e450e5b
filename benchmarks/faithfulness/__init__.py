"""How faithful explanations are: predictions after the words and rows they name are removed."""
