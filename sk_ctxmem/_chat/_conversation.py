"""Chat program: classifies the turns of a conversation as the user types them."""

import contextlib
import sys
import warnings

import numpy as np
import pandas as pd

from .._classifier import ContextMemoryClassifier
from .._model._fitted_model import fitted_model
from ..exceptions import ModelFileError, UnknownSpeakersWarning
from ._screen import Screen, printable, shortened

MAX_SHOWN_TURNS = 3  # earlier turns with the largest contributions
MAX_EXPLAINED_TURNS = 64  # latest turns that are searched, so that no turn takes longer than others
MAX_SHOWN_SPEAKERS = 10
HELP = "Commands: /undo, /reset, /speaker NAME, /help, /quit (or Ctrl-D)."


@contextlib.contextmanager
def without_speaker_warnings():
    """Ignore warnings about speakers, which the prompt shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownSpeakersWarning)
        yield


def _uses_speakers(classifier):
    """Return whether a classifier was fitted with a column of speakers."""
    return fitted_model(classifier).columns["speaker"] is not None


def find_speaker(name, known):
    """Return the known speaker with a typed name, which may be a number or a date.

    Parameters
    ----------
    name : str
        Name that the user typed.
    known : dict
        Id of each speaker that the classifier knows.

    Returns
    -------
    speaker : object
        The speaker as in the data of the fit; `name` if it is not known.
    is_known : bool
        Whether the classifier knows the speaker.
    """
    by_name = {str(speaker): speaker for speaker in known} | {
        speaker: speaker for speaker in known if isinstance(speaker, str)
    }
    if name in by_name:
        return by_name[name], True
    for read in (float, pd.Timestamp):  # "1" for 1.0, or a date without its time
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            for speaker in known:
                if not isinstance(speaker, str | bool | np.bool_) and speaker == read(name):
                    return speaker, True
    return name, False


class Chat:
    """A conversation in a terminal.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        Classifier fitted on texts with groups and ``context="past"``.
    screen : Screen
        Output of the program.
    n_classes : int, default=3
        Number of classes to show.
    speakers : sequence of str, default=()
        Names of the speakers, who take turns. If empty, the speaker is unknown.
    """

    def __init__(self, classifier, screen, *, n_classes=3, speakers=()):
        self._classifier = classifier
        self.screen = screen
        self._n_classes = n_classes
        self._sessions = [classifier.session()]  # one per turn, for undo
        self._turns = []  # (text, speaker)
        self._has_asked = False  # for the name of a speaker
        features = fitted_model(classifier).reader.schema.features
        if features is not None:
            raise ValueError(
                f"the model reads the columns {features!r:.200} beside the text, which cannot be "
                "typed here; use clf.session() and its features=."
            )
        if speakers and not _uses_speakers(classifier):
            raise ValueError(
                "the model was fitted without speaker_column and does not use speakers; omit "
                "--speakers."
            )
        self._speakers = [self._find_speaker(name) for name in speakers]

    @property
    def speaker(self):
        """Speaker of the next turn, None if unknown."""
        if not self._speakers:
            return None
        return self._speakers[len(self._turns) % len(self._speakers)]

    @property
    def prompt(self):
        """Prompt of the next line: number and speaker of the turn."""
        number = len(self._turns) + 1
        return (
            f"{number}> " if self.speaker is None else f"{number} {printable(str(self.speaker))}> "
        )

    def process_line(self, line):
        """Process a line, which is a turn or a command; return False for /quit, else True."""
        if line.startswith("/") and not line.startswith("//"):
            return self._run_command(*line[1:].partition(" ")[::2])
        if line.strip():
            self._add_turn(line[1:] if line.startswith("//") else line)
        return True

    def _run_command(self, command, argument):
        commands = {"undo": self._undo, "reset": self._reset, "help": self._help}
        if command in ("quit", "exit"):
            return False
        if command == "speaker":
            self._set_speaker(argument.strip())
        elif command in commands:
            commands[command]()
        else:
            self.screen.say(f"  Unknown command /{printable(command)}. {HELP}")
        return True

    def _add_turn(self, text):
        """Classify a turn; show its classes and the earlier turns that contributed most."""
        session, speaker = self._sessions[-1].fork(), self.speaker
        with without_speaker_warnings():
            top = self._top(session, text, speaker)
        self._sessions.append(session)
        self._turns.append((text, speaker))
        self.screen.show_classes(top)
        with without_speaker_warnings():
            self.screen.show_turns(self._strongest_turns())
        self._ask_for_speaker()

    def _top(self, session, text, speaker):
        """Return the best classes; of several labels, those above one half, or the best one."""
        if not fitted_model(self._classifier).multilabel:
            return session.top_k_one(text, self._n_classes, speaker)
        top = session.top_k_one(text, len(session.classes_), speaker)
        return top[: max(1, int((top["probability"] > 0.5).sum()))]

    def _ask_for_speaker(self):
        """Say once that the model knows speakers, after a turn without one."""
        if self.speaker is None and not self._has_asked and _uses_speakers(self._classifier):
            self._has_asked = True
            self.screen.say("  The model was fitted with speakers; name one by /speaker NAME.")

    def _strongest_turns(self):
        """Return the earlier turns that contributed most to the last one, in descending order."""
        if len(self._turns) < 2:
            return []
        first = max(0, len(self._turns) - MAX_EXPLAINED_TURNS)
        frame, options = as_rows(self._classifier, self._turns[first:])
        last = len(self._turns) - 1 - first
        explained = 0 if fitted_model(self._classifier).of_sequences else last
        lines = self._classifier.explain(frame, rows=np.array([explained]), **options)
        is_earlier = lines["from_row"].between(0, last - 1)
        totals = lines[is_earlier].groupby("from_row")["contribution"].sum()
        strongest = totals.abs().sort_values(ascending=False, kind="stable").index[:MAX_SHOWN_TURNS]
        turns = [int(row) + first for row in strongest]
        amounts = totals[strongest].tolist()
        return [
            (turn, self._turns[turn][0], amount)
            for turn, amount in zip(turns, amounts, strict=True)
        ]

    def _undo(self):
        if not self._turns:
            self.screen.say("  There is no turn to undo.")
            return
        text, _ = self._turns.pop()
        self._sessions.pop()
        self.screen.say(f"  Removed: {shortened(text)}")

    def _reset(self):
        self._turns.clear()
        del self._sessions[1:]
        self.screen.say("  New conversation.")

    def _help(self):
        self.screen.say("  Type a turn and press Enter. If a turn starts with /, type // instead.")
        self.screen.say(f"  {HELP}")
        self.screen.say(
            "  Below the classes are the earlier turns that contributed most, of the last "
            f"{MAX_EXPLAINED_TURNS}."
        )

    def _find_speaker(self, name):
        """Return the known speaker with a name; say so if the name is unknown."""
        known = fitted_model(self._classifier).speakers or {}
        speaker, is_known = find_speaker(name, known)
        if not is_known:
            names = [shortened(str(other)) for other in known]
            rest = f" and {len(names) - MAX_SHOWN_SPEAKERS} more"
            rest *= len(names) > MAX_SHOWN_SPEAKERS
            listed = ", ".join(names[:MAX_SHOWN_SPEAKERS]) + rest or "none"
            self.screen.say(
                f"  Unknown speaker {shortened(name)}, used as a new one. Known speakers: {listed}"
            )
        return speaker

    def _set_speaker(self, name):
        if not _uses_speakers(self._classifier):
            self.screen.say("  The model was fitted without speakers and does not use them.")
            return
        self._speakers = [self._find_speaker(name)] if name else []
        self.screen.say(f"  Next speaker: {printable(name) or 'unknown'}")


def as_rows(classifier, turns):
    """Convert turns to the X and groups that the classifier expects.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        Classifier whose parameters name the columns.
    turns : list of tuple of (str, object)
        Text and speaker of each turn.

    Returns
    -------
    X : list of str or DataFrame, or list of one of these
        The turns, or the sequence of them.
    options : dict
        Keyword argument `groups`, if no column holds the groups.
    """
    if fitted_model(classifier).of_sequences:
        return [_as_frame(classifier, turns)], {}
    groups = {} if classifier.group_column is not None else {"groups": np.zeros(len(turns), int)}
    return _as_frame(classifier, turns), groups


def _as_frame(classifier, turns):
    """Return texts, or a DataFrame if the classifier reads columns."""
    roles = ("text", "group", "order", "speaker")
    names = {role: getattr(classifier, f"{role}_column") for role in roles}
    texts = [text for text, _ in turns]
    if all(name is None for name in names.values()):
        return texts
    columns = {
        "text": pd.Series(texts, dtype=object),
        "group": np.zeros(len(turns), dtype=int),
        "order": np.arange(len(turns)),
        "speaker": pd.Series([speaker for _, speaker in turns], dtype=object),
    }
    unnamed = "text" if names["text"] is None else names["text"]
    named = {name: columns[role] for role, name in names.items() if name is not None}
    return pd.DataFrame({unnamed: columns["text"]} | named)


def run(path, *, n_classes, speakers, lines=None):
    """Run the chat program with a model file.

    Parameters
    ----------
    path : str
        Path of a model file written by ``save``.
    n_classes : int
        Number of classes to show.
    speakers : list of str
        Names of the speakers, who take turns.
    lines : text file or None, default=None
        Input. If None, standard input.

    Returns
    -------
    status : int
        Exit status: 0 for success, 2 if the model cannot be used, 130 after Ctrl-C.
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
    return _read_lines(chat, sys.stdin if lines is None else lines)


def _read_lines(chat, lines):
    try:
        if lines.isatty():
            _read_terminal(chat)
        else:
            for line in lines:
                line = line.rstrip("\r\n")
                chat.screen.show_line(chat.prompt, line)
                if not chat.process_line(line):
                    break
    except KeyboardInterrupt:
        print()
        return 130
    return 0


def _read_terminal(chat):
    with contextlib.suppress(ImportError):  # not available on Windows
        import readline  # noqa: F401 - adds history and arrow keys to input()
    chat.process_line("/help")
    while True:
        try:
            line = input(chat.prompt)
        except EOFError:
            print()
            return
        if not chat.process_line(line):
            return
