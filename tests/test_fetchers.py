"""Tests of the fetchers, with small files served from this machine.

Tests with the real files are skipped if these are not available. Their folder is the environment
variable SK_CTXMEM_UPSTREAM, or ../shared/data/upstream if it is not set.
"""

import json
import logging
import os
import re
import shutil
import sys
import threading
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem import datasets
from sk_ctxmem.datasets import (
    _banking77,
    _csabstruct,
    _download,
    _meld,
    _sms_spam,
    _sst2,
    _trec,
    fetch_banking77,
    fetch_csabstruct,
    fetch_meld,
    fetch_sms_spam,
    fetch_sst2,
    fetch_trec,
)

pooch = pytest.importorskip("pooch")

ROOT = Path(__file__).parents[1]
MODULES = {
    "csabstruct": _csabstruct,
    "meld": _meld,
    "trec": _trec,
    "sst2": _sst2,
    "banking77": _banking77,
    "sms_spam": _sms_spam,
}
FETCHERS = {name: getattr(datasets, f"fetch_{name}") for name in MODULES}
LICENCES = {
    "csabstruct": "Apache-2.0",
    "meld": "GPL-3.0",
    "trec": "none stated for the corpus",
    "sst2": "none stated for the corpus",
    "banking77": "CC BY 4.0",
    "sms_spam": "none stated",
}
LEAKED = {"Trees grow.": "background", "We climb them.": "method"}
MELD_HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,"
    "StartTime,EndTime\r\n"
)
MELD_END = ',1,2,"00:00:01,000","00:00:02,000"\r\n'


def _json_lines(*abstracts):
    lines = [
        json.dumps(
            {
                "abstract_id": 0,
                "sentences": list(abstract),
                "labels": list(abstract.values()),
                "confs": [1.0] * len(abstract),
            }
        )
        for abstract in abstracts
    ]
    return ("\n".join(lines) + "\n").encode()


# The content of the file of each split, in the format of the corpus.
TINY = {
    "csabstruct": {
        "train": _json_lines(
            LEAKED,
            {"Rivers “flow”.": "background", "We swim.": "method", "It is wet.": "result"},
        ),
        "valid": _json_lines({"Birds sing.": "background"}),
        "test": _json_lines(LEAKED, {"Rivers “flow”.": "objective"}),
    },
    "meld": {
        "train": (
            f'{MELD_HEADER}1,"Well, it’s late.",Ann,neutral,neutral,0,0{MELD_END}'
            f"2,NA,Bob,anger,negative,0,2{MELD_END}"
            f'3,"He said ""yes""!",Ann,joy,positive,1,0{MELD_END}'
        ).encode(),
        "valid": f"{MELD_HEADER}1,None,All,sadness,negative,0,0{MELD_END}".encode(),
        "test": f"{MELD_HEADER}1,Oh!,Bob,surprise,positive,0,0{MELD_END}".encode(),
    },
    "trec": {
        "train": "1 What tree grows ?\n5 How many\xf0rivers\x85are there ?\n".encode("latin-1"),
        "test": b"2 What is a TV ?\n3 Who ?\n4 Where ?\n0 Why ?\n",
    },
    "sst2": {
        "train": "1 a café of a film\n0 dull , dull .\n".encode(),
        "valid": b"0 no .\n",
        "test": b"1 yes .\n",
    },
    "banking77": {
        "train": 'text,category\r\nWhere is it?,card\r\n"\nI paid £1, why?",fee\r\n'.encode(),
        "test": b"text,category\r\nnull,card\r\n",
    },
    "sms_spam": {"all": 'ham\tSay "yes\nspam\tWin £5\tnow\nham\t"no" ok\n'.encode()},
}
ROWS = {
    "csabstruct": [
        ["Rivers “flow”.", "train:1", 0, "train", "background"],
        ["We swim.", "train:1", 1, "train", "method"],
        ["It is wet.", "train:1", 2, "train", "result"],
        ["Birds sing.", "valid:0", 0, "valid", "background"],
        ["Trees grow.", "test:0", 0, "test", "background"],
        ["We climb them.", "test:0", 1, "test", "method"],
        ["Rivers “flow”.", "test:1", 0, "test", "objective"],
    ],
    "meld": [
        ["Well, it’s late.", "train:0", 0, "Ann", "neutral", "neutral", "train", "neutral"],
        ["NA", "train:0", 2, "Bob", "anger", "negative", "train", "anger"],
        ['He said "yes"!', "train:1", 0, "Ann", "joy", "positive", "train", "joy"],
        ["None", "valid:0", 0, "All", "sadness", "negative", "valid", "sadness"],
        ["Oh!", "test:0", 0, "Bob", "surprise", "positive", "test", "surprise"],
    ],
    "trec": [
        ["What tree grows ?", "train", "ENTY"],
        ["How many\xf0rivers\x85are there ?", "train", "NUM"],
        ["What is a TV ?", "test", "ABBR"],
        ["Who ?", "test", "HUM"],
        ["Where ?", "test", "LOC"],
        ["Why ?", "test", "DESC"],
    ],
    "sst2": [
        ["a café of a film", "train", "positive"],
        ["dull , dull .", "train", "negative"],
        ["no .", "valid", "negative"],
        ["yes .", "test", "positive"],
    ],
    "banking77": [
        ["Where is it?", "train", "card"],
        ["\nI paid £1, why?", "train", "fee"],
        ["null", "test", "card"],
    ],
    "sms_spam": [['Say "yes', "ham"], ["Win £5\tnow", "spam"], ['"no" ok', "ham"]],
}
COLUMNS = {
    "csabstruct": ["text", "group", "order", "split", "target"],
    "meld": ["text", "group", "order", "speaker", "emotion", "sentiment", "split", "target"],
    "trec": ["text", "split", "target"],
    "sst2": ["text", "split", "target"],
    "banking77": ["text", "split", "target"],
    "sms_spam": ["text", "target"],
}
each_corpus = pytest.mark.parametrize("corpus", MODULES)


class _CountingHandler(SimpleHTTPRequestHandler):
    """Serve files without a log, and record the requested paths."""

    requested: list = []

    def log_message(self, format, *args):
        """Write nothing."""

    def do_GET(self):
        """Record the path, then serve the file."""
        self.requested.append(self.path)
        super().do_GET()


@pytest.fixture(autouse=True)
def _no_cache_folder_of_the_user(monkeypatch, tmp_path):
    """Keep the tests from using the folders and proxies of the user."""
    monkeypatch.delenv(_download.VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "default" / project)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def requested(tmp_path, monkeypatch):
    """Serve the tiny files instead of the real ones; return the list of requested paths."""
    web = tmp_path / "web"
    web.mkdir()
    monkeypatch.setattr(_CountingHandler, "requested", [])
    handler = partial(_CountingHandler, directory=web)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for corpus, module in MODULES.items():
            (web / corpus).mkdir()
            url = f"http://127.0.0.1:{server.server_port}/{corpus}/"
            registry = {}
            for split, content in TINY[corpus].items():
                name = module.SPEC.files[split]
                (web / corpus / name).write_bytes(content)
                registry[name] = sha256(content).hexdigest()
            spec = replace(module.SPEC, base_url=url, registry=registry)
            monkeypatch.setattr(module, "SPEC", spec)
        yield _CountingHandler.requested
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path):
    """Return a cache folder that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def offline(requested, monkeypatch):
    """Redirect all URLs to a port without a server."""
    for module in MODULES.values():
        url = re.sub(r":\d+/", ":1/", module.SPEC.base_url)
        monkeypatch.setattr(module, "SPEC", replace(module.SPEC, base_url=url))


def _files_in(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@each_corpus
def test_each_format_is_read_correctly(corpus, requested, home):
    """Check rows and labels with quotes, commas, line breaks, "NA" and accents."""
    bunch = FETCHERS[corpus](data_home=home)
    assert bunch.frame.columns.tolist() == COLUMNS[corpus]
    assert bunch.frame.to_numpy().tolist() == ROWS[corpus]


@each_corpus
def test_the_bunch_has_the_fields_of_the_other_loaders(corpus, requested, home):
    """Check data, target, target_names and groups, which is None for single texts."""
    bunch = FETCHERS[corpus](data_home=home)
    shown = [name for name in ("text", "group", "order", "speaker") if name in COLUMNS[corpus]]
    pd.testing.assert_frame_equal(bunch.data, bunch.frame[shown])
    pd.testing.assert_series_equal(bunch.target, bunch.frame["target"])
    assert bunch.target_names == np.unique(bunch.target).tolist()
    if "group" in shown:
        pd.testing.assert_series_equal(bunch.groups, bunch.frame["group"])
    else:
        assert bunch.groups is None


@each_corpus
def test_the_description_has_licence_and_size(corpus, requested, home):
    """Check that DESCR and docstring have the licence, and DESCR the number of rows."""
    descr = FETCHERS[corpus](data_home=home).DESCR
    assert f"Licence: {LICENCES[corpus]}" in descr
    assert f"Licence: {LICENCES[corpus]}" in FETCHERS[corpus].__doc__
    assert re.search(rf" {len(ROWS[corpus])}\n", descr)
    assert "{" not in descr


@pytest.mark.parametrize(
    ("corpus", "subset"),
    [(corpus, split) for corpus, files in TINY.items() for split in files if split != "all"],
)
def test_a_split_has_the_rows_of_that_split(corpus, subset, requested, home):
    """Check that each split, fetched separately, has the rows that it has in the corpus."""
    rows = [row for row in ROWS[corpus] if subset in row]
    frame = FETCHERS[corpus](subset=subset, data_home=home).frame
    assert frame.to_numpy().tolist() == rows
    assert frame.index.tolist() == list(range(len(rows)))


def test_only_the_requested_split_is_downloaded(requested, home):
    """Check that the valid split needs one file."""
    fetch_sst2(subset="valid", data_home=home)
    assert requested == ["/sst2/stsa.binary.dev"]
    assert _files_in(home) == ["sst2/stsa.binary.dev"]


def test_train_abstracts_that_are_in_test_are_removed_by_default(requested, home):
    """Check that only whole abstracts are removed, with any subset."""
    train = fetch_csabstruct(subset="train", data_home=home)
    assert train.groups.unique().tolist() == ["train:1"]
    whole = fetch_csabstruct(remove_leaks=False, data_home=home)
    assert whole.groups.unique().tolist() == ["train:0", "train:1", "valid:0", "test:0", "test:1"]
    assert len(fetch_csabstruct(subset="test", data_home=home).frame) == 3


def test_the_published_train_split_needs_no_test_split(requested, home):
    """Check that remove_leaks=False downloads only the file of the train split."""
    train = fetch_csabstruct(subset="train", remove_leaks=False, data_home=home)
    assert len(train.frame) == 5
    assert requested == ["/csabstruct/train.jsonl"]


def test_meld_has_two_targets(requested, home):
    """Check that target="sentiment" returns the sentiment."""
    bunch = fetch_meld(target="sentiment", data_home=home)
    expected = ["neutral", "negative", "positive", "negative", "positive"]
    assert bunch.target.tolist() == expected
    assert bunch.target_names == ["negative", "neutral", "positive"]
    assert bunch.frame["emotion"].tolist() == fetch_meld(data_home=home).target.tolist()


@each_corpus
def test_a_file_is_downloaded_once(corpus, requested, home):
    """Check that the second call makes no request and returns the same rows."""
    first = FETCHERS[corpus](data_home=home)
    assert len(requested) == len(TINY[corpus])
    second = FETCHERS[corpus](data_home=home, download_if_missing=False)
    assert len(requested) == len(TINY[corpus])
    pd.testing.assert_frame_equal(first.frame, second.frame)


def test_the_argument_precedes_the_variable_and_the_default_folder(
    requested, home, tmp_path, monkeypatch
):
    """Check the order of precedence, and that an empty variable counts as not set."""
    expected = "sms_spam/sms.tsv"
    monkeypatch.setenv(_download.VARIABLE, "")
    fetch_sms_spam()
    assert _files_in(tmp_path / "default" / "sk_ctxmem") == [expected]
    monkeypatch.setenv(_download.VARIABLE, str(tmp_path / "variable"))
    fetch_sms_spam()
    assert _files_in(tmp_path / "variable") == [expected]
    fetch_sms_spam(data_home=str(home))
    assert _files_in(home) == [expected]
    assert len(requested) == 3


def test_the_tilde_is_expanded(requested, tmp_path, monkeypatch):
    """Check that "~" is the user's home folder, in argument and variable."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    fetch_sms_spam(data_home="~/given")
    monkeypatch.setenv(_download.VARIABLE, "~/set")
    fetch_sms_spam()
    assert _files_in(tmp_path / "given") == _files_in(tmp_path / "set") == ["sms_spam/sms.tsv"]


def test_a_wrong_download_is_refused_and_deleted(requested, home, tmp_path):
    """Check that the message has URL and sha256, and that no file is left."""
    wrong = b"ham\tSomething else\n"
    (tmp_path / "web" / "sms_spam" / "sms.tsv").write_bytes(wrong)
    file = _sms_spam.SPEC.remote_file("all")
    match = (
        rf"sms\.tsv from {file.url} has the sha256 {sha256(wrong).hexdigest()}, "
        rf"but {file.sha256} is expected.*Try again.*report"
    )
    with pytest.raises(OSError, match=match):
        fetch_sms_spam(data_home=home)
    assert _files_in(home) == []


def test_a_damaged_file_in_the_folder_is_replaced(requested, home):
    """Check that a file with another sha256 is downloaded again."""
    fetch_sms_spam(data_home=home)
    (home / "sms_spam" / "sms.tsv").write_bytes(b"ham\thalf of a li")
    bunch = fetch_sms_spam(data_home=home)
    assert bunch.frame.to_numpy().tolist() == ROWS["sms_spam"]
    assert len(requested) == 2


def test_a_damaged_file_is_kept_if_the_download_is_wrong(requested, home, tmp_path):
    """Check that a failed download changes nothing in the folder."""
    path = home / "sms_spam" / "sms.tsv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    (tmp_path / "web" / "sms_spam" / "sms.tsv").write_bytes(b"wrong")
    with pytest.raises(OSError, match=r"The download was deleted"):
        fetch_sms_spam(data_home=home)
    assert path.read_bytes() == b"old"
    assert _files_in(home) == ["sms_spam/sms.tsv"]


def test_a_missing_file_is_an_error_if_downloads_are_off(requested, home):
    """Check that download_if_missing=False makes no request, and that the message has a remedy."""
    match = r"sms\.tsv is missing, and download_if_missing=False.*manually as sms\.tsv in"
    with pytest.raises(OSError, match=match):
        fetch_sms_spam(data_home=home, download_if_missing=False)
    assert requested == []
    assert not home.exists()


def test_a_damaged_file_is_an_error_if_downloads_are_off(requested, home):
    """Check that a file with another sha256 is never read."""
    path = home / "sms_spam" / "sms.tsv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"ham\tother\n")
    match = rf"sms\.tsv has the sha256 {sha256(path.read_bytes()).hexdigest()}, not "
    with pytest.raises(OSError, match=match):
        fetch_sms_spam(data_home=home, download_if_missing=False)
    assert requested == []


def test_the_message_of_a_failed_download_has_url_and_folder(offline, home):
    """Check that the message has URL, folder and file name, and that no file is left."""
    url = _trec.SPEC.remote_file("test").url
    match = (
        rf"{url} cannot be downloaded \(ConnectionError\)\. Check the connection, or save that "
        rf"file manually as TREC\.test\.all in the folder {re.escape(str(home / 'trec'))}\."
    )
    with pytest.raises(OSError, match=match):
        fetch_trec(subset="test", data_home=home)
    assert _files_in(home) == []


def test_a_file_saved_manually_is_read_offline(offline, home):
    """Check that the remedy in the message works."""
    (home / "trec").mkdir(parents=True)
    (home / "trec" / "TREC.test.all").write_bytes(TINY["trec"]["test"])
    assert len(fetch_trec(subset="test", data_home=home).frame) == 4


def test_a_missing_file_on_the_server_is_an_error(requested, home, tmp_path):
    """Check that a response such as 404 has the same remedy as no response."""
    (tmp_path / "web" / "sms_spam" / "sms.tsv").unlink()
    with pytest.raises(OSError, match=r"cannot be downloaded \(HTTPError\)"):
        fetch_sms_spam(data_home=home)
    assert _files_in(home) == []


def test_a_folder_that_is_not_writable_is_an_error(requested, home, monkeypatch):
    """Check that the message has the parameter and the variable."""

    def refuse(*args, **kwargs):
        raise PermissionError("no")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    with pytest.raises(PermissionError, match=r"not writable; pass another data_home.*SK_CTXMEM"):
        fetch_sms_spam(data_home=home)


def test_without_pooch_the_message_has_the_extra(home, monkeypatch):
    """Check that a download and the default folder raise an error with the pip command."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    match = re.escape('run: pip install "sk-ctxmem[datasets]"')
    with pytest.raises(ImportError, match=match):
        fetch_sst2(data_home=home)
    with pytest.raises(ImportError, match=match):
        fetch_sst2()


def test_cached_files_are_read_without_pooch(requested, home, monkeypatch):
    """Check that only downloads need pooch."""
    fetch_sst2(data_home=home)
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert len(fetch_sst2(data_home=home).frame) == 4


def test_progress_is_shown_only_on_request(requested, home, tmp_path, capfd, monkeypatch):
    """Check that a fetcher is silent by default, and that pooch's logger is restored."""
    shown = []
    bar = pooch.HTTPDownloader

    def downloader(progressbar, timeout):
        shown.append((progressbar, pooch.get_logger().isEnabledFor(logging.INFO)))
        return bar(progressbar=progressbar, timeout=timeout)

    monkeypatch.setattr(pooch, "HTTPDownloader", downloader)
    fetch_sms_spam(data_home=home)
    assert capfd.readouterr() == ("", "")
    fetch_sms_spam(data_home=tmp_path / "other", progressbar=True)
    assert "100%" in capfd.readouterr().err
    assert shown == [(False, False), (True, True)]


@pytest.mark.parametrize(
    ("fetch", "arguments", "error", "match"),
    [
        (fetch_meld, {"subset": "dev"}, ValueError, r"subset='dev' must be one of .*use 'all'"),
        (fetch_trec, {"subset": "valid"}, ValueError, r"'valid' must be .*'all', 'train', 'test'"),
        (fetch_banking77, {"subset": "valid"}, ValueError, r"'all', 'train', 'test'"),
        (fetch_csabstruct, {"subset": None}, ValueError, r"subset=None must be one of"),
        (fetch_meld, {"target": "joy"}, ValueError, r"target='joy' must be .*use 'emotion'"),
        (fetch_sst2, {"data_home": 5}, TypeError, r"data_home=5 must be a str, a path or None"),
    ],
)
def test_fetchers_refuse_wrong_arguments(fetch, arguments, error, match):
    """Check that the message has the argument, its value and a remedy."""
    with pytest.raises(error, match=match):
        fetch(**arguments)


@each_corpus
def test_urls_are_pinned(corpus):
    """Check that each URL has a commit and uses HTTPS, and that each file has its own sha256."""
    spec = MODULES[corpus].SPEC
    files = [spec.remote_file(split) for split in spec.files]
    for file in files:
        assert re.fullmatch(r"https://[^?]+/[0-9a-f]{40}/[^?]+", file.url)
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert len({file.sha256 for file in files}) == len({file.name for file in files}) == len(files)
    assert set(spec.registry) == set(spec.files.values())


def _upstream():
    """Return the folder of the real files, or None."""
    given = os.environ.get("SK_CTXMEM_UPSTREAM")
    folder = Path(given) if given else ROOT.parent / "shared" / "data" / "upstream"
    return folder if (folder / "manifest.json").is_file() else None


needs_upstream = pytest.mark.skipif(_upstream() is None, reason="the real files are not available")


def _manifest():
    """Map the URL of each real file to its entry in the manifest."""
    entries = json.loads((_upstream() / "manifest.json").read_text(encoding="utf-8"))
    return {entry["url"]: entry for entry in entries}


@pytest.fixture(scope="module")
def real_home(tmp_path_factory):
    """Fill a cache folder with the real files."""
    home = tmp_path_factory.mktemp("real")
    manifest = _manifest()
    for corpus, module in MODULES.items():
        (home / corpus).mkdir()
        for split in module.SPEC.files:
            file = module.SPEC.remote_file(split)
            shutil.copyfile(_upstream() / manifest[file.url]["file"], home / corpus / file.name)
    return home


@needs_upstream
def test_urls_and_sha256_are_those_of_the_manifest():
    """Check the files of all corpora against the manifest of the real files."""
    specs = [module.SPEC for module in MODULES.values()]
    files = [spec.remote_file(split) for spec in specs for split in spec.files]
    expected = {url: entry["sha256"] for url, entry in _manifest().items()}
    assert {file.url: file.sha256 for file in files} == expected


@needs_upstream
@pytest.mark.parametrize(
    ("corpus", "n_rows", "n_classes"),
    [
        ("csabstruct", {"train": 11175, "valid": 2026, "test": 1349}, 5),
        ("meld", {"train": 9989, "valid": 1109, "test": 2610}, 7),
        ("trec", {"train": 5452, "test": 500}, 6),
        ("sst2", {"train": 6920, "valid": 872, "test": 1821}, 2),
        ("banking77", {"train": 10003, "test": 3080}, 77),
        ("sms_spam", {None: 5574}, 2),
    ],
)
def test_the_real_files_have_the_documented_rows(corpus, n_rows, n_classes, real_home):
    """Check the numbers of rows and classes, that no text is empty, and the docstring."""
    bunch = FETCHERS[corpus](data_home=real_home, download_if_missing=False)
    frame = bunch.frame
    if "split" in frame:
        assert frame["split"].value_counts().to_dict() == n_rows
    assert len(frame) == sum(n_rows.values())
    assert len(bunch.target_names) == n_classes
    assert frame.notna().all().all()
    assert (frame["text"].str.strip() != "").all()
    for number in n_rows.values():
        assert str(number) in FETCHERS[corpus].__doc__


@needs_upstream
def test_the_real_groups_are_contiguous_and_in_order(real_home):
    """Check the documented numbers of groups, and that the rows are sorted by order."""
    expected = {"csabstruct": (1642, 295, 226), "meld": (1038, 114, 280)}
    for corpus, n_groups in expected.items():
        frame = FETCHERS[corpus](data_home=real_home, download_if_missing=False).frame
        assert tuple(frame.groupby("split", sort=False)["group"].nunique()) == n_groups
        assert (frame["group"] != frame["group"].shift()).sum() == sum(n_groups)
        assert (frame.groupby("group")["order"].diff().dropna() > 0).all()


@needs_upstream
def test_the_real_leak_has_26_abstracts(real_home):
    """Check the documented size of the leak: 26 abstracts, 158 sentences."""
    kept = fetch_csabstruct(subset="train", data_home=real_home)
    published = fetch_csabstruct(subset="train", remove_leaks=False, data_home=real_home)
    assert published.groups.nunique() - kept.groups.nunique() == 26
    assert len(published.frame) - len(kept.frame) == 158


@needs_upstream
def test_the_counts_in_the_descriptions_are_right(real_home):
    """Check the frequencies and copies in docstrings and DESCR."""
    messages = fetch_sms_spam(data_home=real_home).frame
    assert (messages["target"] == "spam").sum() == 747
    assert 400 <= messages.duplicated().sum() < 410
    questions = fetch_banking77(subset="test", data_home=real_home)
    assert (questions.target.value_counts() == 40).all()
    train = fetch_trec(subset="train", data_home=real_home).data["text"]
    assert fetch_trec(subset="test", data_home=real_home).data["text"].isin(train).sum() == 10
    films = fetch_sst2(data_home=real_home).data["text"]
    assert films.str.contains("é").any()
    assert not films.str.contains("Ã").any()  # UTF-8 that is decoded as Latin-1
