"""Output of the chat program, formatted with rich."""

import sys

from .._messages import import_optional

BAR_WIDTH = 24
MAX_SHOWN_CHARS = 60  # of an earlier turn or a class name


def printable(text):
    """Replace control characters, such as those of terminal escape sequences, and newlines."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def shortened(text):
    """Return the first MAX_SHOWN_CHARS printable characters of a text."""
    shown = printable(text)
    return shown if len(shown) <= MAX_SHOWN_CHARS else shown[: MAX_SHOWN_CHARS - 3] + "..."


class Screen:
    """Output to a terminal or a text file.

    Parameters
    ----------
    file : text file or None, default=None
        Output. If None, standard output.
    """

    def __init__(self, file=None):
        console = import_optional("rich.console", "chat", "The chat program")
        self._text = import_optional("rich.text", "chat", "The chat program")
        file = sys.stdout if file is None else file
        self._console = console.Console(file=file, highlight=False, emoji=False)
        unicode = (self._console.encoding or "").lower().startswith("utf")
        self._full, self._empty = ("█", "░") if unicode else ("#", ".")

    def say(self, *parts):
        """Write a line of parts, each a str or a pair of str and style.

        Brackets in a str are not interpreted as markup.
        """
        line = self._text.Text.assemble(*parts, no_wrap=True)
        self._console.print(line, soft_wrap=True)

    def show_classes(self, top):
        """Show classes and their probabilities as bars.

        Parameters
        ----------
        top : DataFrame
            Columns class and probability, in descending order of probability.
        """
        names = [shortened(str(name)) for name in top["class"]]
        width = max(map(len, names))
        for place, (name, share) in enumerate(zip(names, top["probability"], strict=True)):
            n_full = round(share * BAR_WIDTH)
            bar = self._full * n_full + self._empty * (BAR_WIDTH - n_full)
            style = "bold" if place == 0 else ""
            self.say("  ", (name.ljust(width), style), "  ", (bar, "cyan"), f"  {share:6.1%}")

    def show_turns(self, turns):
        """Show earlier turns and their contributions.

        Parameters
        ----------
        turns : list of tuple of (int, str, float)
            Index and text of each turn, and its contribution to the log-odds of the class.
        """
        for number, text, contribution in turns:
            line = f"  turn {number + 1} {contribution:+.2f}  {shortened(text)}"
            self.say((line, "dim"))

    def show_line(self, prompt, line):
        """Show a line that was read from a file or pipe, so that the output is self-contained."""
        self.say((prompt, "bold"), printable(line))
