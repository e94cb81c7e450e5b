"""What the chat program shows: classes with bars, and the turns that counted, by rich."""

import sys

from .._messages import import_optional

BAR_WIDTH = 24
LONGEST_SHOWN = 60  # characters of an earlier turn, and of a class


def harmless(text):
    """Return text in one line, without what a terminal would obey, such as escape sequences."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def shortened(text):
    """Return the beginning of a text, harmless."""
    shown = harmless(text)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."


class Screen:
    """A terminal, or a file that lines are written to.

    Parameters
    ----------
    file : text file or None, default=None
        Where to write; None for standard output.
    """

    def __init__(self, file=None):
        console = import_optional("rich.console", "chat", "The chat program")
        self._text = import_optional("rich.text", "chat", "The chat program")
        file = sys.stdout if file is None else file
        self._console = console.Console(file=file, highlight=False, emoji=False)
        unicode = (self._console.encoding or "").lower().startswith("utf")
        self._full, self._empty = ("█", "░") if unicode else ("#", ".")

    def say(self, *parts):
        """Write one line of parts, each a str or a pair of str and style.

        What is a str is shown as it is: brackets in it are no markup.
        """
        line = self._text.Text.assemble(*parts, no_wrap=True)
        self._console.print(line, soft_wrap=True)

    def show_classes(self, top):
        """Show classes with bars as long as their probabilities.

        Parameters
        ----------
        top : DataFrame
            Columns class and probability, the best first.
        """
        names = [shortened(str(name)) for name in top["class"]]
        width = max(map(len, names))
        for place, (name, share) in enumerate(zip(names, top["probability"], strict=True)):
            n_full = round(share * BAR_WIDTH)
            bar = self._full * n_full + self._empty * (BAR_WIDTH - n_full)
            style = "bold" if place == 0 else ""
            self.say("  ", (name.ljust(width), style), "  ", (bar, "cyan"), f"  {share:6.1%}")

    def show_reasons(self, reasons):
        """Show the earlier turns that counted.

        Parameters
        ----------
        reasons : list of tuple of (int, str, float)
            Number, from 0, and text of each turn, and what it added to the log-odds of the class.
        """
        for number, text, contribution in reasons:
            line = f"  turn {number + 1} {contribution:+.2f}  {shortened(text)}"
            self.say((line, "dim"))

    def show_line(self, prompt, line):
        """Show what was read where nobody types, so that the output can be understood alone."""
        self.say((prompt, "bold"), harmless(line))
