"""Rows of groups, one group after another, and the same rows as steps of groups, in a graph.

Shape letters: N rows, G groups, T rows of the longest group.
"""

from __future__ import annotations

import numpy as np

from ._graph import END, Graph, Value


class Layout:
    """Where the rows of each group stand.

    Parameters
    ----------
    graph : Graph
        Graph that gets the input ``groups``, of shape (G + 1,): the first row of each group, and
        the number of rows.
    n_rows : Value of shape ()
        Number of rows.

    Attributes
    ----------
    lengths : Value of shape (G,)
        Number of rows of each group.
    before : Value of shape (N,)
        Number of earlier rows of the group of each row.
    """

    def __init__(self, graph: Graph, n_rows: Value) -> None:
        self.graph = graph
        self.n_rows = n_rows
        self.groups = graph.input("groups", np.int64, ["groups + 1"])
        self.starts = self.groups.slice(0, -1)
        self.lengths = self.groups.slice(1, END) - self.starts
        self.n_steps = self.lengths.largest()
        self.n_groups = self.lengths.size(0)
        places, self.is_row = self.grid(self.n_steps)
        self.places = places.minimum(n_rows - 1).transpose(1, 0)  # (T, G)
        steps = graph.range(self.n_steps).expand_as(places)
        self.before = steps.reshape(-1).compress(self.is_row)

    def grid(self, n_steps: Value) -> tuple[Value, Value]:
        """Return the rows of each group padded to a number of steps.

        Returns
        -------
        places : Value of shape (G, n_steps)
            Number of the row, beyond the group that of a row of another one or of none.
        is_row : Value of shape (G n_steps,)
            Whether there is such a row in the group.
        """
        steps = self.graph.range(n_steps)
        is_row = steps < self.lengths.unsqueeze(1)  # (G, n_steps)
        return self.starts.unsqueeze(1) + steps, is_row.reshape(-1)

    def spread(self, values: Value) -> Value:
        """Return the values of rows by step and group: (N, .) -> (T, G, .)."""
        return values.gather(self.places)

    def collect(self, values: Value) -> Value:
        """Return the values of rows: (T, G, .) -> (N, .)."""
        by_group = values.transpose(1, 0, 2)
        return by_group.reshape(-1, by_group.size(2)).compress(self.is_row)

    @property
    def of_row(self) -> Value:
        """Number of the group of each row, (N,)."""
        numbers = (
            self.graph.range(self.n_groups).unsqueeze(1).expand_as(self.places.transpose(1, 0))
        )
        return numbers.reshape(-1).compress(self.is_row)
