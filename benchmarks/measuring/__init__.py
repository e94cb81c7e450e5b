"""One fit and its measures, in a process of its own, and the files of its results."""
