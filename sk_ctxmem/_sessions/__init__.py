"""Live conversations, predicted turn by turn."""

from ._session import ContextSession, open_session, open_sessions
from ._sessions import ContextSessions

__all__ = ["ContextSession", "ContextSessions", "open_session", "open_sessions"]
