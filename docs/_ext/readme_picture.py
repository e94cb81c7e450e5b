"""Write the picture of the README in light and dark colours: `python docs/_ext/readme_picture.py`.

The picture of the first page takes its colours from the theme around it. An image on a code host
has nothing around it, so these two have their colours inside.
"""

from pathlib import Path

STATIC = Path(__file__).parents[1] / "_static"
SOURCE = STATIC / "memory.svg"
COLOURS = {
    "light": {
        "text": "#1f2328",
        "muted": "#59636e",
        "surface": "#f6f8fa",
        "border": "#d1d9e0",
        "accent": "#0a7d91",
        "accent-bg": "#d8eff3",
    },
    "dark": {
        "text": "#f0f6fc",
        "muted": "#9198a1",
        "surface": "#21262d",
        "border": "#3d444d",
        "accent": "#3fb1c5",
        "accent-bg": "#12363d",
    },
}
STYLE = """<style>
text {{ fill: {text}; font: 14px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }}
.head {{ font-weight: 600; font-size: 16px; }}
.small {{ font-size: 12px; fill: {muted}; }}
.label {{ font-size: 13px; }}
.said {{ font-size: 15px; }}
.agent {{ fill: {surface}; stroke: {border}; }}
.caller {{ fill: {accent-bg}; stroke: {accent}; }}
.track {{ fill: {surface}; stroke: {border}; stroke-width: 0.5; }}
.unsure {{ fill: {muted}; }}
.sure, .memory-tip {{ fill: {accent}; }}
.seen {{ stroke: {muted}; stroke-dasharray: 3 3; }}
.memory {{ fill: none; stroke: {accent}; stroke-width: 2; }}
.memory-word {{ font-size: 12px; fill: {accent}; }}
</style>
"""


def paint(colours):
    """Return the picture of the first page with a style of its own."""
    head, end, rest = SOURCE.read_text(encoding="utf-8").partition("</desc>\n")
    return head + end + STYLE.format(**colours) + rest


if __name__ == "__main__":
    for name, colours in COLOURS.items():
        (STATIC / f"memory_{name}.svg").write_text(paint(colours), encoding="utf-8")
