"""Where the documentation is, for messages and for what notebooks show."""

DOCUMENTATION = "https://sk-ctxmem.readthedocs.io/en/stable/"
API_PAGE = DOCUMENTATION + "generated/{estimator_module}.{estimator_name}.html"  # scikit-learn's
TROUBLESHOOTING = DOCUMENTATION + "user_guide/troubleshooting.html"


def doc_link(section):
    """Return the end of a message: where to read more.

    Parameters
    ----------
    section : str
        Label of a section of docs/user_guide/troubleshooting.rst.

    Returns
    -------
    sentence : str
        With a space before it.
    """
    return f" See {TROUBLESHOOTING}#{section}"
