"""Tools for texts beside one another: accuracy, CPU time and size; and the page that shows them."""
