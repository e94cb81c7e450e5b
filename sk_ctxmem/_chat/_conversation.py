"""The chat program: it types along, and classifies each turn as it comes."""

import contextlib
import sys

import numpy as np
import pandas as pd

from .._classifier import ContextMemoryClassifier
from .._model._fitted_model import fitted_model
from ..exceptions import ModelFileError
from ._screen import Screen, harmless, shortened

MOST_REASONS = 3  # earlier turns that are shown to have counted
HELP = "Commands: /undo, /reset, /speaker NAME, /help, /quit (or Ctrl-D)."


class Chat:
    """A conversation in a terminal.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        Fitted on texts with groups and ``context="past"``.
    screen : Screen
        Where to write.
    n_classes : int, default=3
        Number of classes to show.
    speakers : sequence of str, default=()
        Who speaks, one after the other, again and again; empty for nobody known.
    """

    def __init__(self, classifier, screen, *, n_classes=3, speakers=()):
        self._classifier = classifier
        self.screen = screen
        self._n_classes = n_classes
        self._speakers = list(speakers)
        self._sessions = [classifier.session(keep_texts=True)]  # after each turn, for undo
        self._turns = []  # text and speaker of each
        if speakers and classifier.speaker_column is None:
            raise ValueError(
                "the model was fitted without speaker_column, and knows no speakers; leave "
                "--speakers out."
            )

    @property
    def speaker(self):
        """Who speaks next, None for nobody known."""
        if not self._speakers:
            return None
        return self._speakers[len(self._turns) % len(self._speakers)]

    @property
    def prompt(self):
        """What stands before the next line."""
        number = len(self._turns) + 1
        return f"{number}> " if self.speaker is None else f"{number} {harmless(self.speaker)}> "

    def take(self, line):
        """Take a line, a turn or a command; return whether the conversation goes on."""
        if line.startswith("/") and not line.startswith("//"):
            return self._obey(*line[1:].partition(" ")[::2])
        if line.strip():
            self._say(line[1:] if line.startswith("//") else line)
        return True

    def _obey(self, command, argument):
        commands = {"undo": self._undo, "reset": self._reset, "help": self._help}
        if command in ("quit", "exit"):
            return False
        if command == "speaker":
            self._set_speaker(argument.strip())
        elif command in commands:
            commands[command]()
        else:
            self.screen.say(f"  There is no command /{harmless(command)}. {HELP}")
        return True

    def _say(self, text):
        """Take a turn, and show its classes and the turns that counted."""
        session, speaker = self._sessions[-1].fork(), self.speaker
        top = session.top_k_one(text, self._n_classes, speaker)
        self._sessions.append(session)
        self._turns.append((text, speaker))
        self.screen.show_classes(top)
        self.screen.show_reasons(self._find_reasons())

    def _find_reasons(self):
        """Return the earlier turns that counted most in the last one, the strongest first."""
        if len(self._turns) < 2:
            return []
        frame, options = as_rows(self._classifier, self._turns)
        last = len(self._turns) - 1
        reasons = self._classifier.explain(frame, rows=np.array([last]), **options)
        reasons = reasons[reasons["source"] == "row"]
        totals = reasons.groupby("from_row")["contribution"].sum()
        strongest = totals.abs().sort_values(ascending=False, kind="stable").index[:MOST_REASONS]
        return [(int(row), self._turns[row][0], float(totals[row])) for row in strongest]

    def _undo(self):
        if not self._turns:
            self.screen.say("  There is no turn to take back.")
            return
        text, _ = self._turns.pop()
        self._sessions.pop()
        self.screen.say(f"  Taken back: {shortened(text)}")

    def _reset(self):
        self._turns.clear()
        del self._sessions[1:]
        self.screen.say("  A new conversation.")

    def _help(self):
        self.screen.say("  Type a turn and press Enter. A turn that begins with / needs two: //.")
        self.screen.say(f"  {HELP}")

    def _set_speaker(self, name):
        if self._classifier.speaker_column is None:
            self.screen.say("  The model was fitted without speakers, and knows none.")
            return
        self._speakers = [name] if name else []
        self.screen.say(f"  Now speaks: {harmless(name) or 'nobody known'}")


def as_rows(classifier, turns):
    """Return turns as what the classifier was fitted on, and the groups if no column has them.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        Its parameters name the columns.
    turns : list of tuple of (str, object)
        Text and speaker of each turn.
    """
    roles = ("text", "group", "order", "speaker")
    names = {role: getattr(classifier, f"{role}_column") for role in roles}
    texts = [text for text, _ in turns]
    groups = {} if names["group"] is not None else {"groups": np.zeros(len(turns), dtype=int)}
    if all(name is None for name in names.values()):
        return texts, groups
    columns = {
        "text": pd.Series(texts, dtype=object),
        "group": np.zeros(len(turns), dtype=int),
        "order": np.arange(len(turns)),
        "speaker": pd.Series([speaker for _, speaker in turns], dtype=object),
    }
    unnamed = "text" if names["text"] is None else names["text"]
    named = {name: columns[role] for role, name in names.items() if name is not None}
    return pd.DataFrame({unnamed: columns["text"]} | named), groups


def run(path, *, n_classes, speakers, lines=None):
    """Talk to the model in a file.

    Parameters
    ----------
    path : str
        The file that ``save`` wrote.
    n_classes : int
        Number of classes to show.
    speakers : list of str
        Who speaks, one after the other.
    lines : text file or None, default=None
        What to read instead of standard input.

    Returns
    -------
    status : int
        0 at the end, 2 if the model cannot be talked to, 130 after Ctrl-C.
    """
    try:
        screen = Screen()
        classifier = ContextMemoryClassifier.load(path)
        kind = fitted_model(classifier).input_kind
        if kind != "text":
            raise ValueError(f"the model was fitted on {kind}, not on texts.")
        chat = Chat(classifier, screen, n_classes=n_classes, speakers=speakers)
    except (ImportError, OSError, ModelFileError, ValueError) as error:
        print(f"sk_ctxmem chat: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return _talk(chat, sys.stdin if lines is None else lines)


def _talk(chat, lines):
    try:
        if lines.isatty():
            _talk_to_somebody(chat)
        else:
            for line in lines:
                line = line.rstrip("\r\n")
                chat.screen.show_line(chat.prompt, line)
                if not chat.take(line):
                    break
    except KeyboardInterrupt:
        print()
        return 130
    return 0


def _talk_to_somebody(chat):
    with contextlib.suppress(ImportError):  # it is not there on Windows
        import readline  # noqa: F401 - input() has a history and arrow keys with it
    chat.take("/help")
    while True:
        try:
            line = input(chat.prompt)
        except EOFError:
            print()
            return
        if not chat.take(line):
            return
