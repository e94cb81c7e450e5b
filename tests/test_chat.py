"""Tests of python -m sk_ctxmem chat: what is typed and what is shown."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from _sessions import SMALL, fit
from numpy.testing import assert_array_equal

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.__main__ import main

pytest.importorskip("rich")

from sk_ctxmem._chat._conversation import Chat, as_rows, find_speaker
from sk_ctxmem._chat._screen import Screen


@pytest.fixture(scope="module")
def classifier(talks):
    """Fit a classifier on conversations of two speakers."""
    speaker = np.where(np.arange(len(talks)) % 3, "client", "agent")
    return fit(talks.assign(speaker=speaker), speaker_column="speaker")


@pytest.fixture(scope="module")
def model(classifier, tmp_path_factory):
    """Return the path of a model file."""
    path = tmp_path_factory.mktemp("models") / "model"
    classifier.save(path)
    return str(path)


class Output(io.TextIOWrapper):
    """Takes what is written in an encoding."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, errors="replace", newline="\n")

    def text(self):
        """Return what was written."""
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


def chat_with(classifier, lines, *, encoding="utf-8", **options):
    """Return what is shown after some lines, and the chat."""
    output = Output(encoding)
    chat = Chat(classifier, Screen(output), **options)
    for line in lines:
        chat.process_line(line)
    return output.text(), chat


def run_main(arguments, typed, monkeypatch, capsys):
    """Return status, output and errors of the program that reads typed lines from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.filterwarnings("ignore:The turn has no speaker")
def test_each_line_shows_the_best_classes_with_bars(classifier):
    """Check that classes, bars and shares are those of a session."""
    shown, _ = chat_with(classifier, ["red"], n_classes=2)
    *lines, asked = shown.splitlines()
    assert asked == "  The model was fitted with speakers; name one by /speaker NAME."
    top = classifier.session().top_k_one("red", k=2)
    for line, label, share in zip(lines, top["class"], top["probability"], strict=True):
        assert line.split()[0] == str(label)
        assert line.count("█") == round(24 * share)
        assert line.count("█") + line.count("░") == 24
        assert line.endswith(f"{share:.1%}")


@pytest.mark.filterwarnings("ignore:The turn has no speaker")
def test_turns_are_remembered(classifier):
    """Check that the second turn is read in the context of the first."""
    shown, chat = chat_with(classifier, ["red", "what was that ?"], n_classes=1)
    session = classifier.session()
    session.predict_one("red")
    top = session.top_k_one("what was that ?", k=1)
    assert shown.splitlines()[2].endswith(f"{top['probability'][0]:.1%}")
    assert chat.prompt == "3> "


def test_undo_takes_the_last_turn_back(classifier):
    """Check that a turn after undo is as if the one taken back had never been."""
    shown, chat = chat_with(classifier, ["red", "blue", "/undo", "green"])
    expected, _ = chat_with(classifier, ["red", "green"])
    assert shown.splitlines()[-3:] == expected.splitlines()[-3:]
    assert "Removed: blue" in shown
    assert chat.prompt == "3> "


def test_undo_needs_a_turn(classifier):
    """Check that undo before the first turn says so."""
    shown, _ = chat_with(classifier, ["/undo"])
    assert "There is no turn to undo." in shown


def test_reset_begins_a_new_conversation(classifier):
    """Check that a turn after reset is a first turn."""
    shown, chat = chat_with(classifier, ["red", "blue", "/reset", "red"])
    assert shown.splitlines()[-3:] == shown.splitlines()[:3]
    assert chat.prompt == "2> "


def test_speakers_take_turns(classifier):
    """Check that speakers follow one another, that one can be named, and undo gives it back."""
    output = Output()
    chat = Chat(classifier, Screen(output), speakers=["client", "agent"])
    prompts = [chat.prompt]
    for line in ("red", "blue", "green", "/undo", "/speaker agent", "/speaker"):
        chat.process_line(line)
        prompts.append(chat.prompt)
    assert prompts == [
        "1 client> ",
        "2 agent> ",
        "3 client> ",
        "4 agent> ",
        "3 client> ",
        "3 agent> ",
        "3> ",
    ]


def test_speakers_count(classifier):
    """Check that who speaks is told to the model."""
    shown, _ = chat_with(classifier, ["red", "what was that ?"], speakers=["client", "agent"])
    session = classifier.session()
    session.predict_one("red", "client")
    top = session.top_k_one("what was that ?", k=1, speaker="agent")
    assert f"{top['probability'][0]:.1%}" in shown.splitlines()[3]


def test_speakers_are_refused_where_none_were_learned(talks):
    """Check that a model without speakers says so, at the start and in between."""
    classifier = fit(talks)
    with pytest.raises(ValueError, match="fitted without speaker_column.*omit --speakers"):
        chat_with(classifier, [], speakers=["client"])
    shown, _ = chat_with(classifier, ["/speaker client", "red"])
    assert "does not use them" in shown


def test_other_commands_are_named_and_two_slashes_are_a_turn(classifier):
    """Check that a mistyped command is no turn, and that a turn may begin with a slash."""
    shown, chat = chat_with(classifier, ["/rest", "", "  "])
    assert "Unknown command /rest." in shown
    assert chat.prompt == "1> "
    shown, chat = chat_with(classifier, ["//rest"])
    expected, _ = chat_with(classifier, ["/reset", "//rest"])
    assert chat.prompt == "2> "
    assert shown in expected


@pytest.mark.parametrize("line", ["/quit", "/exit"])
def test_quit_ends(line, classifier):
    """Check that the conversation does not go on after quit, and that it does after others."""
    chat = Chat(classifier, Screen(Output()))
    assert chat.process_line("red")
    assert chat.process_line("/reset")
    assert not chat.process_line(line)


HOSTILE = "[bold]loud[/bold] \x1b[31mred\x1b[0m \x07\x9b :smile: \u202e"


def test_what_is_typed_is_shown_and_not_obeyed(classifier):
    """Check that markup stays as it is, and that no control character reaches the terminal."""
    shown, chat = chat_with(classifier, [HOSTILE, "/undo", f"/speaker {HOSTILE}", f"/{HOSTILE}"])
    assert "[bold]loud[/bold]" in shown
    assert ":smile:" in shown
    for control in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert control not in shown + chat.prompt


def test_classes_are_shown_and_not_obeyed(talks):
    """Check the same of the names of classes, which come out of a file."""
    target = talks["target"].map(lambda label: f"{label} [red]\x1b[2J" + "long" * 50)
    shown, _ = chat_with(fit(talks, target), ["red"], n_classes=9)
    assert "[red]" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 110


def test_bars_are_drawn_in_any_encoding(classifier):
    """Check that a terminal without block characters gets others."""
    shown, _ = chat_with(classifier, ["red", "/speaker \u65e5\u672c"], encoding="ascii")
    assert "#" in shown
    assert "Next speaker: ??" in shown


def explain(X, target=None, groups=None, *, rows=None):
    """Stand in for the explanation of a classifier."""
    explain.calls.append((X, groups, rows))
    contributions = pd.DataFrame(
        {
            "source": ["row", "row", "row", "row", "row", "ngram", "structure"],
            "from_row": [0, 1, 1, 2, 3, 4, -1],
            "contribution": [0.5, -1.0, -0.5, 0.01, 0.1, 9.0, 9.0],
        }
    )
    return contributions[contributions["from_row"] < rows[0]]


def test_the_turns_that_counted_are_shown(classifier, monkeypatch):
    """Check that the three strongest turns follow the classes, and what was asked for."""
    explain.calls = []
    monkeypatch.setattr(ContextMemoryClassifier, "explain", staticmethod(explain))
    turns = ["red", f"blue {HOSTILE}", "green", "what ?", "thank you"]
    shown, _ = chat_with(classifier, turns, n_classes=1, speakers=["client", "agent"])
    lines = shown.splitlines()[-3:]
    assert lines[0].startswith("  turn 2 -1.50  blue [bold]loud")
    assert lines[1:] == ["  turn 1 +0.50  red", "  turn 4 +0.10  what ?"]
    X, groups, rows = explain.calls[-1]
    assert groups is None
    assert rows.tolist() == [4]
    assert X["text"].tolist() == turns
    assert X["speaker"].tolist() == ["client", "agent", "client", "agent", "client"]
    assert len(explain.calls) == 4  # there is nothing before the first turn


ROLES_OF_FITS = {
    "roles": {},
    "texts alone": {"text_column": None, "group_column": None, "order_column": None},
    "no text column": {"text_column": None, "order_column": None},
    "groups apart": {"group_column": None, "order_column": None},
}


@pytest.mark.parametrize("name", ROLES_OF_FITS)
def test_turns_are_rows_that_the_classifier_takes(name, talks):
    """Check that what explain gets is a conversation for classifiers fitted in any way."""
    columns = {"text_column": "text", "group_column": "group", "order_column": "order"}
    columns |= ROLES_OF_FITS[name]
    used = [name for name in columns.values() if name is not None]
    used = ["text", *used] if columns["text_column"] is None else used
    X = talks["text"].tolist() if used == ["text"] and name == "texts alone" else talks[used]
    groups = talks["group"] if columns["group_column"] is None else None
    classifier = ContextMemoryClassifier(**SMALL, **columns).fit(X, talks["target"], groups=groups)
    rows, options = as_rows(classifier, [("red", None), ("what ?", None)])
    session = classifier.session()
    expected = [session.predict_one("red"), session.predict_one("what ?")]
    assert_array_equal(classifier.predict(rows, **options), expected)


def test_a_pipe_is_read_to_its_end(model, monkeypatch, capsys):
    """Check that lines out of a pipe are shown beside what is said of them."""
    arguments = ["chat", model, "--classes", "1", "--speakers", "client", "agent"]
    status, shown, errors = run_main(arguments, "red\nblue\r\n\n", monkeypatch, capsys)
    lines = shown.splitlines()
    assert status == 0
    assert [line for line in lines if ">" in line] == [
        "1 client> red",
        "2 agent> blue",
        "3 client> ",
    ]
    assert sum(line.endswith("%") for line in lines) == 2
    assert errors == ""


def test_quit_in_a_pipe_ends(model, monkeypatch, capsys):
    """Check that lines after quit are not read."""
    status, shown, _ = run_main(["chat", model], "/quit\nred\n", monkeypatch, capsys)
    assert status == 0
    assert shown == "1> /quit\n"


def test_a_terminal_has_prompts_and_help(model, monkeypatch, capsys):
    """Check that input is asked for with a prompt until Ctrl-D."""
    typed = iter(["red", "blue"])
    prompts = []

    def read(prompt):
        prompts.append(prompt)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    stdin = io.StringIO()
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr("builtins.input", read)
    assert main(["chat", model]) == 0
    assert prompts == ["1> ", "2> ", "3> "]
    assert "Commands: /undo" in capsys.readouterr().out


def test_control_c_ends_without_a_traceback(model, monkeypatch, capsys):
    """Check that Ctrl-C ends the program with the status that shells expect."""

    def interrupt(prompt):
        raise KeyboardInterrupt

    stdin = io.StringIO()
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr("builtins.input", interrupt)
    assert main(["chat", model]) == 130
    assert capsys.readouterr().err == ""


def test_a_model_that_cannot_be_read_is_one_line(model, tmp_path, monkeypatch, capsys, talks):
    """Check that files that are missing, broken or of another kind give a line and status 2."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"no model")
    fit(talks, context="both").save(tmp_path / "both")
    X = np.random.RandomState(0).normal(size=(len(talks), 3))
    numbers = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=talks["group"])
    numbers.save(tmp_path / "numbers")
    for path, message in (
        (tmp_path / "missing", "does not exist; check the path"),
        (broken, "is not a sk_ctxmem model file"),
        (tmp_path / "both", "fit with context='past'"),
        (tmp_path / "numbers", "fitted on features, not on texts"),
        (tmp_path, "is a folder; pass the path of a file"),
    ):
        status, shown, errors = run_main(["chat", str(path)], "red\n", monkeypatch, capsys)
        assert (status, shown) == (2, "")
        assert errors.startswith("sk_ctxmem chat: ")
        assert errors.count("\n") == 1
        assert message in errors


def test_without_rich_the_extra_is_named(model, monkeypatch, capsys):
    """Check that the command to install rich is one line too."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    status, _, errors = run_main(["chat", model], "red\n", monkeypatch, capsys)
    assert status == 2
    assert 'pip install "sk-ctxmem[chat]"' in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["chat"], ["chat", "model", "--classes", "0"]])
def test_a_wrong_command_line_is_refused(arguments, capsys):
    """Check that argparse names what is missing or wrong, with status 2."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m sk_ctxmem" in capsys.readouterr().err


@pytest.mark.slow
def test_the_program_runs_by_its_name(model):
    """Check python -m sk_ctxmem chat in a process, with bytes that are no text in its input."""
    command = [sys.executable, "-m", "sk_ctxmem", "chat", model]
    done = subprocess.run(command, input=b"red \xff\n\x1b[2J", capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout


def test_typed_names_find_speakers_of_any_kind():
    """Check numbers, booleans and dates; a str goes before a number of the same name."""
    day = pd.Timestamp("2020-01-02")
    known = dict.fromkeys([7, 2.0, True, day, "7 a", "8", 8], 1)
    for name, speaker in (("7", 7), ("7.0", 7), ("2", 2.0), ("True", True), ("2020-01-02", day)):
        assert find_speaker(name, known) == (speaker, True)
        assert type(find_speaker(name, known)[0]) is type(speaker)
    assert find_speaker("8", known) == ("8", True)
    for name in ("9", "x", "", "nan", "1e999"):
        assert find_speaker(name, known) == (name, False)


@pytest.mark.parametrize("names", [[101, 102], [1.5, 2.0], [True, False]])
def test_speakers_that_are_no_str_are_told_to_the_model(names, talks):
    """Check that turns with typed speakers are those of a session with the speakers of the fit."""
    speaker = np.where(np.arange(len(talks)) % 3, *names)
    classifier = fit(talks.assign(speaker=speaker), speaker_column="speaker")
    shown, chat = chat_with(
        classifier, ["red", "what was that ?"], speakers=[str(name) for name in names]
    )
    session = classifier.session()
    session.predict_one("red", names[0])
    top = session.top_k_one("what was that ?", k=1, speaker=names[1])
    assert f"{top['probability'][0]:.1%}" in shown.splitlines()[3]
    assert "Unknown speaker" not in shown
    assert chat.prompt == f"3 {names[0]}> "


def test_unknown_speakers_are_warned_of_with_the_known_ones(classifier):
    """Check the line at the start and after a command, and that the chat goes on."""
    shown, chat = chat_with(classifier, ["/speaker bob", "red"], speakers=["client", "ag\x1bent"])
    lines = [line for line in shown.splitlines() if "Unknown speaker" in line]
    assert len(lines) == 2
    assert lines[1].endswith(
        "Unknown speaker bob, used as a new one. Known speakers: agent, client"
    )
    assert "\x1b" not in shown
    assert chat.prompt == "2 bob> "


def test_a_turn_explains_the_latest_turns_alone(classifier, monkeypatch):
    """Check that the work of a turn is bounded, that turns keep their numbers, and the help."""
    explain.calls = []
    monkeypatch.setattr(ContextMemoryClassifier, "explain", staticmethod(explain))
    monkeypatch.setattr("sk_ctxmem._chat._conversation.MAX_EXPLAINED_TURNS", 4)
    turns = [f"red {number}" for number in range(9)]
    shown, _ = chat_with(classifier, [*turns, "/help"], n_classes=1)
    X, _, rows = explain.calls[-1]
    assert X["text"].tolist() == turns[-4:]
    assert rows.tolist() == [3]
    assert "  turn 7 -1.50  red 6" in shown.splitlines()
    assert "of the last 4." in shown
