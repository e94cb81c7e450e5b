"""Functions of the user that read texts, checked, and the positions of the words they find."""

from collections.abc import Callable

from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

ACCENTS: dict[str, Callable] = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}


def call_tokenizer(tokenizer, text):
    """Return the tokens of a text as a list, or raise TypeError if they are not str."""
    tokens = tokenizer(text)
    if tokens is None or isinstance(tokens, str):
        raise TypeError(f"tokenizer={tokenizer!r} returned {tokens!r:.60}, not a list of str.")
    tokens = list(tokens)
    if set(map(type, tokens)) - {str}:
        for token in tokens:
            if not isinstance(token, str):
                raise TypeError(
                    f"tokenizer={tokenizer!r} returned {token!r:.60} of type "
                    f"{type(token).__name__} in a list of tokens; return str, such as token.text."
                )
        tokens = list(map(str, tokens))
    return tokens


def check_clean(text):
    """Return the result of a `strip_accents` function, or raise TypeError if it is not a str."""
    if not isinstance(text, str):
        raise TypeError(f"strip_accents returned {text!r:.60}, not a str; return the text.")
    return text


def find_in_order(tokens, text):
    """Return (token, start, end) of tokens, each after the one before; the missing are empty."""
    found, end = [], 0
    for token in tokens:
        start = text.find(token, end)
        start, end = (end, end) if start < 0 else (start, start + len(token))
        found.append((token, start, end))
    return found


def span_of(match, group):
    """Return (token, start, end) of a match; a group that took no part is empty, as in findall."""
    start, end = match.span(group)
    return ("", match.start(), match.start()) if start < 0 else (match.group(group), start, end)
