"""The command line of python -m sk_ctxmem chat."""
