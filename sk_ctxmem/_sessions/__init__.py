"""Live conversations: the network turn by turn."""

from ._session import ContextSession, SessionMixin
from ._sessions import ContextSessions

__all__ = ["ContextSession", "ContextSessions", "SessionMixin"]
