"""Style sheet of the HTML, whose rules apply to its own block alone, not to the notebook."""

from ._colors import DARK, LIGHT, OPACITY

BLOCK = "sk-ctxmem-conversation"
SIGNS = ("positive", "negative")
# The themes of notebooks and documentation override the theme of the system.
DARK_SWITCHES = (
    '[data-theme="dark"]',
    '[data-jp-theme-light="false"]',
    '[data-vscode-theme-kind="vscode-dark"]',
)
LIGHT_SWITCHES = (
    '[data-theme="light"]',
    '[data-jp-theme-light="true"]',
    '[data-vscode-theme-kind="vscode-light"]',
)

RULES = """
& { background: var(--ground); color: var(--ink); border: 1px solid var(--line);
  border-radius: 6px; padding: 0.75em 1em; max-width: 60em; box-sizing: border-box;
  font: 400 15px/1.55 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif;
  text-align: start; overflow-wrap: anywhere; }
& * { box-sizing: border-box; }
& .legend { color: var(--faint); font-size: 0.85em; margin: 0 0 0.5em; }
& .legend span { white-space: nowrap; }
& .turn { border-top: 1px solid var(--line); padding: 0.6em 0; margin: 0; }
& .head { display: flex; flex-wrap: wrap; gap: 0.15em 0.9em; align-items: baseline;
  font-size: 0.85em; color: var(--faint); }
& .head b { color: var(--ink); font-weight: 600; }
& .number { min-width: 1.6em; font-variant-numeric: tabular-nums; }
& .text { color: var(--ink); white-space: pre-wrap; margin: 0.2em 0; font-size: 1.05em; }
& .positive, & .negative { color: var(--ink); border-radius: 2px; padding: 0.06em 0;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
& .positive { border-bottom: 2px solid transparent; }
& .negative { border-bottom: 2px dashed rgb(var(--negative)); }
& .earlier { display: grid; grid-template-columns: minmax(0, 20em) 4em minmax(0, 16em);
  gap: 0.1em 0.8em; align-items: center; font-size: 0.85em; color: var(--faint); }
& .from { display: flex; gap: 0.6em; white-space: nowrap; }
& .from bdi { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
& .amount { text-align: end; font-variant-numeric: tabular-nums; }
& .track { display: block; }
& .empty { color: var(--faint); font-style: italic; }
& .bar { display: block; height: 0.75em; min-width: 3px; border-radius: 2px; }
& .bar.positive { background: rgb(var(--positive)); border: 0; }
& .bar.negative { border: 0; background: repeating-linear-gradient(
  -45deg, rgb(var(--negative)) 0 4px, var(--ground) 4px 6px); }
& .sums { color: var(--faint); font-size: 0.85em; margin: 0.15em 0 0; }
"""
NARROW = """
& { padding: 0.5em 0.6em; }
& .earlier { grid-template-columns: minmax(0, 1fr) 4em 4.5em; }
"""
PAGE = """
html { color-scheme: light dark; }
body { margin: 0; padding: 1em; background: rgb(255 255 255); }
@media (prefers-color-scheme: dark) { body { background: rgb(22 24 29); } }
@media (max-width: 480px) { body { padding: 0.4em; } }
"""


def style_sheet():
    """Return the rules of the block.

    Returns
    -------
    css : str
        The style sheet; it is the same for every conversation.
    """
    block = f".{BLOCK}"
    light, dark = _variables(LIGHT), _variables(DARK)
    parts = [
        f"{block} {{ color-scheme: light dark; {light} }}",
        f"@media (prefers-color-scheme: dark) {{ {block} {{ {dark} }} }}",
        f"{_below(LIGHT_SWITCHES, block)} {{ color-scheme: light; {light} }}",
        f"{_below(DARK_SWITCHES, block)} {{ color-scheme: dark; {dark} }}",
        RULES.replace("&", block).strip(),
        *_shades(block),
        f"@media (max-width: 480px) {{{NARROW.replace('&', block)}}}",
    ]
    return "\n".join(parts)


def _variables(palette):
    """Return the colours of a palette as CSS variables."""
    colors = {name: " ".join(map(str, color)) for name, color in palette.items()}
    plain = [f"--{name}: rgb({colors[name]});" for name in ("ground", "ink", "faint", "line")]
    # only numbers, because rgb() and rgba() use these with and without an opacity
    numbers = {name: ", ".join(map(str, palette[name])) for name in SIGNS}
    return " ".join(plain + [f"--{name}: {numbers[name]};" for name in SIGNS])


def _below(switches, block):
    return ", ".join(f"{switch} {block}" for switch in switches)


def _shades(block):
    """Return a rule for each level of each colour."""
    return [
        f"{block} .{name}.l{level} {{ background-color: rgba(var(--{name}), {opacity}); }}"
        for name in SIGNS
        for level, opacity in enumerate(OPACITY)
        if level
    ]
