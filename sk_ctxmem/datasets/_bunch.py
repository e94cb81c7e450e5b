"""The Bunch that every data set is returned in."""

from sklearn.utils import Bunch

FEATURE_COLUMNS = ("text", "group", "order", "speaker")


def check_choice(name, value, choices):
    """Raise an error if a value is not one of the choices; the first one is the default."""
    if value not in choices:
        raise ValueError(
            f"{name}={value!r} must be one of {choices}; use {choices[0]!r} if unsure."
        )


def make_bunch(frame, description, **fields):
    """Return the Bunch of a frame that has the columns text and target.

    The template `description` may contain n_rows, n_groups, n_classes and target_names, which are
    derived from the frame, and further `fields`.
    """
    groups = frame.get("group")
    target_names = sorted(frame["target"].unique())
    counted = {
        "n_rows": len(frame),
        "n_groups": 0 if groups is None else groups.nunique(),
        "n_classes": len(target_names),
        "target_names": ", ".join(target_names),
    }
    return Bunch(
        frame=frame,
        data=frame[[name for name in FEATURE_COLUMNS if name in frame]],
        target=frame["target"],
        target_names=target_names,
        groups=groups,
        DESCR=description.format(**(counted | fields)),
    )
