"""Words that people search for, and the page that each should find first.

They become main entries of the index, which Sphinx's search puts before titles and text. Whether it
does is asked of the built pages, with Node: `python docs/_ext/search_words.py docs/_build/html`.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

PAGES = {
    "accuracy": ["accuracy", "results", "score"],
    "auto_examples/index": ["examples", "gallery"],
    "auto_tutorials/plot_first_csv": ["csv", "own data", "pandas"],
    "auto_tutorials/plot_quick_start": ["quick start", "getting started"],
    "auto_tutorials/index": ["tutorial", "tutorials"],
    "faq": ["faq", "questions"],
    "glossary": ["glossary", "terms"],
    "how_it_works": ["architecture", "formula", "network"],
    "index": ["install", "pip"],
    "settings": ["settings", "parameters", "hyperparameters"],
    "speed": ["speed", "fast", "gpu", "cuda", "time"],
    "user_guide/comparing": ["compare", "baseline"],
    "user_guide/context": ["context", "memory", "attention"],
    "user_guide/embedder": ["embeddings", "bert", "sentence-transformers", "transformer"],
    "user_guide/explanation": ["explain", "explanation", "interpretability"],
    "user_guide/export": ["export", "onnx", "javascript"],
    "user_guide/forecast": ["forecast", "forecasting"],
    "user_guide/input": ["group", "groups", "dataframe", "input", "multilabel"],
    "user_guide/large_fits": ["out of memory", "parquet", "large data"],
    "user_guide/persistence": ["save", "load", "pickle"],
    "user_guide/search": ["search", "tuning", "gridsearchcv"],
    "user_guide/serving": ["deploy", "server", "production", "redis"],
    "user_guide/sessions": ["session", "sessions", "live", "streaming"],
    "user_guide/troubleshooting": ["error", "warning", "problem", "help"],
    "user_guide/why_is_my_score_lower": ["leak", "low accuracy"],
    "which_tool": ["alternatives", "llm", "comparison"],
    "whats_new": ["changelog", "release notes"],
}
WORDS = {word: page for page, words in PAGES.items() for word in words}

SEARCH = """
const fs = require("fs"), vm = require("vm"), [root, words] = process.argv.slice(1);
const document = {addEventListener() {}, getElementById() {}, documentElement: {dataset: {}}};
const others = {_ready() {}, _: String, SPHINX_HIGHLIGHT_ENABLED: false};  // of other scripts
const context = vm.createContext({document, ...others});
const run = (code) => vm.runInContext(code, context);
run("var window = this");
for (const name of ["_static/language_data.js", "_static/searchtools.js", "searchindex.js"])
  run(fs.readFileSync(`${root}/${name}`, "utf8"));
const find = (word) => run(`Search._performSearch(...Search._parseQuery("${word}")).at(-1)?.[0]`);
console.log(JSON.stringify(JSON.parse(words).map((word) => [word, find(word)])));
"""


def find_first(root, words):
    """Return the page that the search of built pages has first, for each word."""
    command = ["node", "-e", SEARCH, str(root), json.dumps(words)]
    return dict(json.loads(subprocess.check_output(command, text=True)))


def add_words(app):
    """Enter the words as main entries of the index, and return no further pages.

    Directives for the index would do, but for pages that a later build takes over as they are.
    """
    entries = app.builder.indexer._index_entries
    for page, others in entries.items():  # of the glossary
        entries[page] = [entry for entry in others if entry[0] not in WORDS]
    for page, words in PAGES.items():
        entries[page] = [*entries.get(page, []), *((word, "", "main") for word in words)]
    return []


def setup(app):
    """Enter them when all pages have been written."""
    app.connect("html-collect-pages", add_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_problems(root):
    """List the words whose first result is another page."""
    found = find_first(root, list(WORDS))
    problems = [(word, found.get(word), page) for word, page in WORDS.items()]
    return [f"{word}: {first}, not {page}" for word, first, page in problems if first != page]


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("The search of the pages was not tried, as there is no Node to run it.")
        sys.exit()
    sys.exit("\n".join(find_problems(Path(sys.argv[1]))) or 0)
