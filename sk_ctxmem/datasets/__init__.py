"""Data sets: dialogues, public corpora, docstrings of packages, and synthetic conversations."""

from ._banking77 import fetch_banking77
from ._conversations import make_conversations
from ._csabstruct import fetch_csabstruct
from ._docstring_sections import load_docstring_sections
from ._meld import fetch_meld
from ._service_dialogues import load_service_dialogues
from ._sms_spam import fetch_sms_spam
from ._sst2 import fetch_sst2
from ._trec import fetch_trec

__all__ = [
    "fetch_banking77",
    "fetch_csabstruct",
    "fetch_meld",
    "fetch_sms_spam",
    "fetch_sst2",
    "fetch_trec",
    "load_docstring_sections",
    "load_service_dialogues",
    "make_conversations",
]
