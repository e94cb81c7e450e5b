"""TextSequenceVectorizer, which turns texts into n-gram features and word sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

import re
from functools import partial
from itertools import islice
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from sklearn.utils.validation import check_is_fitted

from .._files._codec import from_state, to_state
from .._input._parameters import (
    Choice,
    Flag,
    FunctionOr,
    Number,
    Pattern,
    ShareOrCount,
    WordsOr,
    check_parameters,
    read_ngram_range,
)
from .._input._rows import check_texts
from .._messages import API_PAGE, warn_caller
from ._ngrams import InsideNGrams, TokenNGrams
from ._sequences import TextSequences
from ._tfidf import WeightedNGrams
from ._tokenizers import ACCENTS, call_tokenizer, check_clean, find_in_order, span_of
from ._tokens import check_numbering, count_texts, learn_tokens, read_tokens

WORD_PATTERN = r"\w+|[^\w\s]"  # words, and each punctuation mark by itself
CHARACTER_PATTERN = r"\S"
ANY_CHARACTER = r"(?s)."
UNKNOWN_WORD = 0
WHITE_SPACE = re.compile(r"\s\s+")  # replaced by one space for characters, as in scikit-learn
RARE_WORDS_RANGE = (3, 5)  # the meaning of char_ngram_range="auto"
MOST_TOKENS_OF_AUTO = 3_000_000  # with more, words are frequent enough without char n-grams
NGRAM_CLASSES = {cls.__name__: cls for cls in (InsideNGrams, TokenNGrams, WeightedNGrams)}
LONG_TEXT = 16  # characters per word of max_length; longer texts are cut before they are split


class TextSequenceVectorizer(  # type: ignore[call-arg]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    r"""Convert texts to TF-IDF weighted n-grams and to sequences of words.

    The features equal those of scikit-learn's
    :class:`~sklearn.feature_extraction.text.TfidfVectorizer` with sublinear term frequency, but
    take a fraction of its time; the sequences keep the order of the words. Columns are sorted by
    the length of the n-grams, then by their tokens.

    Parameters
    ----------
    analyzer : {"word", "char"}, default="word"
        Whether tokens are words and punctuation marks, or single characters. Use "char" for
        languages without spaces, such as Chinese, with ``ngram_range=(1, 3)``.

    ngram_range : tuple of (int, int), default=(1, 2)
        Smallest and largest length of n-grams of words, or of characters if ``analyzer="char"``.

    char_ngram_range : tuple of (int, int), "auto" or None, default="auto"
        Smallest and largest length of character n-grams inside words, which are added to the
        n-grams of words. They help with rare and misspelt words, and take two to four times as
        much time. "auto" uses (3, 5) if ``analyzer="word"`` and the texts of fit have at most
        three million words in total, and no character n-grams otherwise. Only the first 1,000
        characters of a word are read.

    lowercase : bool, default=True
        Whether to convert texts to lower case.

    min_df : int, default=1
        Smallest number of texts that contain an n-gram for it to become a feature.

    max_features : int or None, default=None
        Largest number of features of each kind of n-grams; the most frequent n-grams are
        selected. None for no limit.

    max_length : int, default=2048
        Number of words, or characters, that are read of each text; the rest is ignored.

    max_df : float or int, default=1.0
        Largest share of the texts, as a float, or largest number of texts, as an int, that contain
        an n-gram for it to become a feature.

    token_pattern : str or None, default="\\w+|[^\\w\\s]"
        Regular expression of the words; by default words and punctuation marks. If it has a group,
        the group is the word. Only used if ``analyzer="word"`` and `tokenizer` is None.

    tokenizer : callable or None, default=None
        Function that splits a text into a list of str, instead of `token_pattern`. Only used if
        ``analyzer="word"``. A classifier with a function cannot be saved, but can be pickled.

    stop_words : "english", list of str or None, default=None
        Words that are left out, also of n-grams: their neighbours become a pair. Only used if
        ``analyzer="word"``. Character n-grams inside words are read of all words.

    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Whether to remove accents, after `lowercase`: "ascii" also removes all characters without
        an ASCII equivalent. A function returns the text without accents.

    output : {"sequences", "sparse"}, default="sequences"
        Whether to return :class:`TextSequences`, with n-grams and words, or only the n-grams as a
        csr_array, as other steps of scikit-learn expect, such as
        :class:`~sklearn.compose.ColumnTransformer`.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Number of each word of the sequences, from 1. It has only words that occur in at least
        two texts; all other words have the number 0.

    char_ngram_range_ : tuple of (int, int) or None
        Smallest and largest length of the character n-grams; None if there are none.

    idf_ : ndarray of shape (n_features,)
        Inverse document frequency of each n-gram.

    See Also
    --------
    ContextMemoryClassifier : Accepts the output of this transformer.

    Examples
    --------
    >>> from sk_ctxmem import TextSequenceVectorizer
    >>> vectorizer = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=None)
    >>> sequences = vectorizer.fit_transform(["yes , please", "yes", "no , thanks"])
    >>> vectorizer.get_feature_names_out()
    array([',', 'no', 'please', 'thanks', 'yes'], dtype=object)
    >>> sequences.features.shape
    (3, 5)
    >>> sequences.words
    array([2, 1, 0, 2, 0, 1, 0], dtype=int32)
    """

    _names_in_files = {"_char_ngrams": "_inside"}
    # Files do not mention these where they have their defaults, so that older versions read them.
    _added_parameters = {
        "max_df": 1.0,
        "token_pattern": WORD_PATTERN,
        "tokenizer": None,
        "stop_words": None,
        "strip_accents": None,
        "output": "sequences",
    }
    _doc_link_module = "sk_ctxmem"
    _doc_link_template = API_PAGE
    _legal_values = {
        "analyzer": Choice("word", "char"),
        "lowercase": Flag(),
        "min_df": Number(Integral, 1, np.inf, 1),
        "max_features": Number(Integral, 1, np.inf, None, or_none=True),
        "max_length": Number(Integral, 1, np.inf, 2048),
        "max_df": ShareOrCount(1.0),
        "token_pattern": Pattern(WORD_PATTERN),
        "tokenizer": FunctionOr(),
        "stop_words": WordsOr("english"),
        "strip_accents": FunctionOr("ascii", "unicode"),
        "output": Choice("sequences", "sparse"),
    }

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 2),
        char_ngram_range: tuple[int, int] | str | None = "auto",
        lowercase: bool = True,
        min_df: int = 1,
        max_features: int | None = None,
        max_length: int = 2048,
        max_df: float = 1.0,
        token_pattern: Any = WORD_PATTERN,
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        stop_words: Any = None,
        strip_accents: str | Callable[[str], str] | None = None,
        output: str = "sequences",
    ) -> None:
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.char_ngram_range = char_ngram_range
        self.lowercase = lowercase
        self.min_df = min_df
        self.max_features = max_features
        self.max_length = max_length
        self.max_df = max_df
        self.token_pattern = token_pattern
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.strip_accents = strip_accents
        self.output = output

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the n-grams, their weights and the words.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts.

        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : TextSequenceVectorizer
            The fitted vectorizer.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn from texts and convert them, faster than `fit` followed by `transform`.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts.

        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        sequences : TextSequences of n_rows rows, or csr_array of shape (n_rows, n_features)
            N-gram features and words; with ``output="sparse"``, the features alone.

        Raises
        ------
        TypeError, ValueError
            If a parameter is invalid, X does not consist of texts, or no text has a word.
        """
        self._check_parameters()
        texts = self._clean(check_texts(X))
        tokens, token_numbers = learn_tokens(texts, self._tokenizer())
        self._check_counts(token_numbers, len(texts))
        selection = (self.min_df, self.max_features)
        ngram_range = read_ngram_range("ngram_range", self.ngram_range)
        ngrams = WeightedNGrams(TokenNGrams(ngram_range), *selection)
        parts = [ngrams.fit_transform(tokens, len(token_numbers), max_df=self.max_df)]
        char_ngrams = None
        char_ngram_range = self._choose_char_ngram_range(tokens.n_tokens)
        if char_ngram_range is not None:
            char_ngrams = WeightedNGrams(InsideNGrams(char_ngram_range), *selection)
            parts.append(char_ngrams.fit_transform(self._cut(texts), max_df=self.max_df))
        self._keep(token_numbers, count_texts(tokens, len(token_numbers)), ngrams, char_ngrams)
        return self._add_words(_join(parts), tokens, texts)

    def transform(self, X: Any) -> Any:
        """Convert texts; n-grams that were not seen in fit are ignored.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts. An empty text has no features and no words.

        Returns
        -------
        sequences : TextSequences of n_rows rows, or csr_array of shape (n_rows, n_features)
            N-gram features and words; with ``output="sparse"``, the features alone.
        """
        check_is_fitted(self)
        texts, tokens = self._read(check_texts(X))
        if len(texts) == 1:
            return self._add_words(self._one_row(tokens, texts), tokens, texts)
        parts = [self._ngrams.transform(tokens)]
        if self._char_ngrams is not None:
            parts.append(self._char_ngrams.transform(self._cut(texts)))
        return self._add_words(_join(parts), tokens, texts)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the n-grams in the order of the columns.

        Parameters
        ----------
        input_features : Ignored
            Not used, present for consistency.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            The n-grams. If there are two kinds, the names begin with ``word__`` and ``char__``.
        """
        check_is_fitted(self)
        separator = " " if self.analyzer == "word" else ""
        names = self._ngrams.names(list(self._token_numbers), separator)
        if self._char_ngrams is None:
            return names
        both = [f"word__{name}" for name in names]
        both += [f"char__{name}" for name in self._char_ngrams.names()]
        return np.array(both, dtype=object)

    def _locate_ngrams(self, text):
        """Return the n-grams of one text and their positions in the text.

        Returns
        -------
        columns, starts, ends : ndarray of shape (n_found,)
            The column of each n-gram, and its start and end in the text that `_clean` returns.
            For each column, starts ascend.
        """
        check_is_fitted(self)
        texts, tokens = self._read([text])
        found = [span for _, *span in self._locate_tokens(texts[0])]
        spans = np.array(found, dtype=np.int64).reshape(-1, 2)
        parts = [self._ngrams.locate(tokens.numbers, spans)]
        if self._char_ngrams is not None:
            numbers, spans = self._char_ngrams.counter.read_spans(self._cut(texts)[0])
            parts.append(self._char_ngrams.locate(numbers, spans))
            parts[1][0] += len(self._ngrams.idf)
        return np.concatenate(parts, axis=1)

    def _names_of(self, columns):
        """Return the n-grams of some columns, since all names take long on large vocabularies."""
        n_words, tokens = len(self._ngrams.idf), list(self._token_numbers)
        separator = " " if self.analyzer == "word" else ""
        if self._char_ngrams is None:
            return [self._ngrams.name(column, tokens, separator) for column in columns]
        return [
            f"word__{self._ngrams.name(column, tokens, separator)}"
            if column < n_words
            else f"char__{self._char_ngrams.name(column - n_words)}"
            for column in columns
        ]

    def _words_of(self, text):
        """Return the words of a text whose numbers `transform` returns."""
        (clean,) = self._clean([text])
        if self.analyzer == "char":
            clean = "".join(clean.split())
        return list(self._tokenizer()(clean))

    def _locate_tokens(self, text):
        """Return the tokens of a clean text as (token, start, end), in their order.

        A token of `tokenizer` that is not found in the text, such as a stem, has no length.
        """
        if self.analyzer == "char":
            return [(match.group(), *match.span()) for match in re.finditer(ANY_CHARACTER, text)]
        if self.tokenizer is not None:
            found = find_in_order(call_tokenizer(self.tokenizer, text)[: self.max_length], text)
        else:
            pattern = re.compile(self.token_pattern)
            matches = islice(pattern.finditer(text), int(self.max_length))
            found = [span_of(match, min(pattern.groups, 1)) for match in matches]
        skipped = self._stop_words()
        return [each for each in found if each[0] not in skipped]

    @property
    def idf_(self) -> np.ndarray:
        """Inverse document frequency of each n-gram."""
        check_is_fitted(self)
        return np.concatenate([kind.idf for kind in self._kinds])

    @property
    def _kinds(self):
        return [self._ngrams] if self._char_ngrams is None else [self._ngrams, self._char_ngrams]

    @property
    def _n_columns(self):
        return sum(len(kind.idf) for kind in self._kinds)

    def _check_learned(self):
        """Raise ValueError unless `fit` can have learned these attributes."""
        if not hasattr(self, "vocabulary_"):
            return
        self._check_parameters()
        n_words, numbers = len(self.vocabulary_), self._word_numbers
        check_numbering(self._token_numbers, self._ngrams.counter.n_tokens)
        are_right = numbers.shape == (len(self._token_numbers) + 1,) and numbers.dtype == np.int32
        if not are_right or numbers.min() < 0 or numbers.max() > n_words:
            raise ValueError("the numbers of the words do not match the vocabulary")

    def __getstate__(self):
        """Return arrays and plain values only, so that skops does not have to trust classes."""
        return to_state(dict(super().__getstate__()), "vectorizer", NGRAM_CLASSES)

    def __setstate__(self, state):
        """Restore the state that `__getstate__` returned."""
        super().__setstate__(self._added_parameters | from_state(state, NGRAM_CLASSES))
        self._check_learned()

    def _check_parameters(self):
        check_parameters(self, self._legal_values)
        read_ngram_range("ngram_range", self.ngram_range)
        if isinstance(self.char_ngram_range, str):
            Choice("auto").check("char_ngram_range", self.char_ngram_range)
        elif self.char_ngram_range is not None:
            read_ngram_range("char_ngram_range", self.char_ngram_range)
        if self.token_pattern is None and self.tokenizer is None and self.analyzer == "word":
            raise ValueError("token_pattern=None needs a tokenizer; pass one, or a pattern.")

    def _check_counts(self, token_numbers, n_texts):
        """Raise ValueError if texts with these tokens have no word or are fewer than min_df."""
        self._warn_of_parameters()
        if all(token.isspace() for token in token_numbers):
            usual, names = self._added_parameters, ("token_pattern", "tokenizer", "stop_words")
            changed = [name for name in names if getattr(self, name) != usual[name]]
            remedy = f"; change {' or '.join(changed)}" if changed else ""
            raise ValueError(f"X has no word in any of its texts; at least one is needed{remedy}.")
        if self.min_df > n_texts:
            raise ValueError(
                f"min_df={self.min_df!r} is more than the {n_texts} texts of X; lower it."
            )

    def _warn_of_parameters(self):
        """Warn of parameters without an effect, as CountVectorizer does."""
        usual, is_word = self._added_parameters, self.analyzer == "word"
        unused = [] if is_word else ["stop_words", "tokenizer"]
        unused += ["token_pattern"] if not is_word or self.tokenizer is not None else []
        for name in unused:
            if getattr(self, name) not in (usual[name], None):
                reason = "tokenizer is set" if is_word else "analyzer='char'"
                warn_caller(f"{name} is not used, since {reason}; omit it.", UserWarning)
        if not is_word or self.stop_words is None or isinstance(self.stop_words, str):
            return
        left = set().union(*map(self._tokenizer(), self._clean(list(self.stop_words))))
        if left:
            warn_caller(
                f"stop_words are split into {sorted(left)[:5]!r}, as texts are, which are not stop "
                "words; write stop words as they are after lowercase, strip_accents and "
                "token_pattern.",
                UserWarning,
            )

    def _keep(self, token_numbers, n_texts, ngrams, char_ngrams):
        """Set the learned attributes; `n_texts` is the number of texts of each token."""
        self._token_numbers, self._ngrams, self._char_ngrams = token_numbers, ngrams, char_ngrams
        self.char_ngram_range_ = None if char_ngrams is None else char_ngrams.counter.ngram_range
        self.vocabulary_, self._word_numbers = _number_words(token_numbers, n_texts.tolist())

    def _choose_char_ngram_range(self, n_tokens):
        """Return the range of character n-grams for texts of `n_tokens` tokens in total."""
        if self.char_ngram_range is None:
            return None
        if not isinstance(self.char_ngram_range, str):
            return read_ngram_range("char_ngram_range", self.char_ngram_range)
        are_few = n_tokens <= MOST_TOKENS_OF_AUTO
        return RARE_WORDS_RANGE if self.analyzer == "word" and are_few else None

    def _clean(self, texts):
        """Convert texts to lower case, remove accents, and cut very long texts."""
        if self.lowercase:
            texts = [text.lower() for text in texts]
        if self.strip_accents is not None:
            accents = self.strip_accents
            accents = accents if callable(accents) else ACCENTS[accents]
            texts = [check_clean(accents(text)) for text in texts]
        if self.analyzer == "char":
            return self._cut([WHITE_SPACE.sub(" ", text) for text in texts])
        if self.tokenizer is not None or self.token_pattern != WORD_PATTERN:
            return texts  # where to cut is not known before they are split
        limit = LONG_TEXT * int(self.max_length)
        return [self._cut([text])[0] if len(text) > limit else text for text in texts]

    def _cut(self, texts):
        """Cut each text after its `max_length` words."""
        limit = self.max_length  # a text of fewer characters has fewer words
        pattern = re.compile(WORD_PATTERN if self.analyzer == "word" else CHARACTER_PATTERN)
        return [text if len(text) <= limit else _cut_after(text, pattern, limit) for text in texts]

    def _read(self, texts):
        """Return the cleaned texts and their tokens."""
        texts = self._clean(texts)
        return texts, read_tokens(texts, self._tokenizer(), self._token_numbers)

    def _one_row(self, tokens, texts):
        """Return the features of one text as a matrix."""
        columns, values = self._weigh_one(tokens, texts)
        indptr = np.array([0, len(columns)], dtype=np.int32)
        features = sparse.csr_array((values, columns, indptr), shape=(1, self._n_columns))
        features.has_canonical_format = True
        return features

    def _weigh_one(self, tokens, texts):
        """Return the columns, sorted, and the weights of one text, without a matrix.

        The checks of scipy would take most of the time of a turn of a conversation.
        """
        columns, values = self._ngrams.transform_one(tokens)
        if self._char_ngrams is not None:
            more_columns, more_values = self._char_ngrams.transform_one(self._cut(texts)[0])
            columns = np.concatenate([columns, more_columns + len(self._ngrams.idf)])
            values = np.concatenate([values, more_values])
        return columns.astype(np.int32), values

    def _tokenizer(self):
        """Return the function that splits a clean text; white space is a token for "char"."""
        if self.analyzer == "char":
            return str  # a sequence of characters
        limit, skipped = self.max_length, self._stop_words()
        if self.tokenizer is None:
            find = re.compile(self.token_pattern).findall
        else:
            find = partial(call_tokenizer, self.tokenizer)
        if not skipped:
            return lambda text: find(text)[:limit]
        return lambda text: [token for token in find(text)[:limit] if token not in skipped]

    def _stop_words(self):
        """Return the set of words to leave out."""
        if self.stop_words == "english":
            return ENGLISH_STOP_WORDS
        return frozenset(self.stop_words or ())

    def _add_words(self, features, tokens, texts):
        """Return features together with the words of the texts, or alone for a sparse output."""
        if self.output == "sparse":
            return features
        words, lengths = self._find_words(tokens, texts)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return TextSequences(features, words, offsets, len(self.vocabulary_) + 1)

    def _find_words(self, tokens, texts):
        """Return the numbers of the words of all texts, and how many words each text has."""
        if self.analyzer == "char":  # white space is part of n-grams, but not a word
            texts = ("".join(text.split()) for text in texts)
            tokens = read_tokens(texts, str, self._token_numbers)
        return self._word_numbers[tokens.without_ends()], tokens.lengths  # UNKNOWN takes the last

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _join(parts):
    """Return the columns of matrices in one matrix whose entries are sorted."""
    features = sparse.csr_array(parts[0] if len(parts) == 1 else sparse.hstack(parts))
    features.sum_duplicates()  # there are none; this sorts the entries
    return features


def _cut_after(text, pattern, n_tokens):
    """Cut a text after its first tokens, without reading the rest."""
    end = 0
    for match in islice(pattern.finditer(text), n_tokens):
        end = match.end()
    return text[:end]


def _number_words(token_numbers, n_texts):
    """Assign numbers, from 1, to the tokens that are words and occur in at least two texts.

    Returns
    -------
    vocabulary : dict of str to int
        Number of each such word.
    numbers : ndarray of shape (n_tokens + 1,), int32
        The number of the word for each token; UNKNOWN_WORD for other tokens and at the end.
    """
    words = [
        token
        for token, number in token_numbers.items()
        if n_texts[number] > 1 and not token.isspace()
    ]
    numbers = np.full(len(token_numbers) + 1, UNKNOWN_WORD, dtype=np.int32)
    numbers[[token_numbers[word] for word in words]] = np.arange(1, len(words) + 1)
    return {word: number for number, word in enumerate(words, start=1)}, numbers
