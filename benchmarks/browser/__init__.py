"""The model of the page "Try it in the browser"."""
