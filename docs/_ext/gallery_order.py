"""The order of the examples: from whether it helps to how it is used, checked and kept."""

ORDER = (
    "quick_start",
    "first_csv",
    "does_memory_help",
    "how_many_rows",
    "which_rows_counted",
    "which_words_counted",
    "live_conversation",
    "serve_conversations",
    "forecast",
    "image_by_rows",
    "sound_by_frames",
    "grid_search_without_leaks",
    "search_within_a_budget",
    "early_stopping",
    "are_probabilities_right",
    "which_labels_look_wrong",
    "own_vectorizer",
    "pretrained_vectors",
    "columns_beside_text",
    "chinese",
    "stream",
)


class QuestionOrder:
    """Sort key of sphinx-gallery; examples that are not named come last, by name.

    Parameters
    ----------
    src_dir : str
        Folder of the examples, which sphinx-gallery passes.
    """

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, filename):
        """Return what an example is sorted by."""
        name = filename.removeprefix("plot_").removesuffix(".py")
        return (ORDER.index(name) if name in ORDER else len(ORDER), name)
