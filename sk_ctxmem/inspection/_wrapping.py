"""Lines out of the words of a text, by a function that measures them."""

import re

SHARE = 0.98  # of the width, so that frames around words stay inside


def split_pieces(text, words):
    """Cut a text into words with their contributions and what stands between them.

    Parameters
    ----------
    text : str
        The text.
    words : list of WordContribution
        The words, in the order of the text.

    Returns
    -------
    pieces : list of (str, float)
        Words, runs of spaces, line ends and other marks; all together they are the text.
    """
    pieces, end = [], 0
    for word in words:
        if word.start < end:
            continue
        pieces += [(piece, 0.0) for piece in _split_rest(text[end : word.start])]
        pieces.append((text[word.start : word.end], word.contribution))
        end = word.end
    return pieces + [(piece, 0.0) for piece in _split_rest(text[end:])]


def _split_rest(text):
    return re.findall(r"\n|[^\S\n]+|\S+", text)


def wrap_pieces(pieces, measure):
    """Place pieces on lines.

    Parameters
    ----------
    pieces : list of (str, float)
        What to place, with contributions.
    measure : callable
        Returns the width of a str as a share of a line.

    Returns
    -------
    lines : list of list of (float, str, float)
        Place on the line from 0 to 1, the piece and its contribution; without spaces.
    """
    lines: list[list] = [[]]
    x = 0.0
    for piece, contribution in pieces:
        if piece == "\n":
            lines, x = [*lines, []], 0.0
        elif piece.isspace():
            x += measure(piece.replace("\t", "    ")) if lines[-1] else 0.0
        else:
            for part in _cut(piece, measure):
                width = measure(part)
                if lines[-1] and x + width > SHARE:
                    lines, x = [*lines, []], 0.0
                lines[-1].append((x, part, contribution))
                x += width
    return lines


def _cut(piece, measure):
    """Cut a piece that is wider than a line into parts that are not."""
    parts = []
    while len(piece) > 1 and (width := measure(piece)) > SHARE:
        length = max(1, min(len(piece) - 1, int(len(piece) * SHARE / width)))
        while length > 1 and measure(piece[:length]) > SHARE:
            length -= 1
        parts.append(piece[:length])
        piece = piece[length:]
    return [*parts, piece]
