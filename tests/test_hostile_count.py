"""Test of the number of hostile inputs that the other files hold."""

import test_hostile_features as features
import test_hostile_frames as frames
import test_hostile_parameters as parameters
import test_hostile_sizes as sizes
import test_hostile_targets as targets
import test_hostile_texts as texts

TABLES = [
    *(texts.ODD_TEXTS, texts.EQUAL_TEXTS, texts.FORMS, texts.BAD_TEXTS, texts.NO_TEXTS),
    *(frames.VALUES, frames.IDS, frames.ORDERS, frames.MISSING, frames.UNHASHABLE),
    *(frames.WITHOUT_ORDER, frames.SPEAKERS, frames.FRAMES, frames.BAD_FRAMES),
    *(features.SAME_DENSE, features.SAME_SPARSE, features.BOOLS, features.STRANGE),
    *(features.STRANGE_SPARSE, features.BAD, features.BAD_COLUMNS, features.BAD_NAMES),
    *(targets.LABELS, targets.BAD_LABELS, targets.WEIGHTS, targets.BAD_WEIGHTS),
    *(targets.GROUP_FORMS, targets.BAD_GROUPS),
    *(parameters.NUMBERS, parameters.BAD_CASES, parameters.OUT_OF_BOUNDS, parameters.OTHERS),
    *(parameters.RANGES, parameters.LIMIT_CASES, parameters.BAD_RANGES),
    *(sizes.PATTERNS, sizes.SOURCES),
]


def test_the_tables_hold_hundreds_of_inputs():
    """Check that no table got lost: they held 790 inputs when they were written."""
    assert sum(map(len, TABLES)) >= 750
