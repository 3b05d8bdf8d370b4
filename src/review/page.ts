import { createHash } from "node:crypto";

export interface Page {
  readonly title: string;
  /** HTML: whoever makes it has escaped what came from elsewhere, see {@link escapeHtml}. */
  readonly body: string;
  /** Rules besides those that all pages share. */
  readonly style?: string;
  readonly script?: string;
}

/** Text as it may stand in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A heading and entries, which are HTML; nothing for a list without entries. @param id what a link leads to it by */
export function renderList(heading: string, entries: readonly string[], level = 2, id?: string): string {
  if (entries.length === 0) return "";
  return `<h${level}${id === undefined ? "" : ` id="${id}"`}>${escapeHtml(heading)}</h${level}><ul>${entries.map((entry) => `<li>${entry}</li>`).join("")}</ul>`;
}

/**
 * Lines of a difference as they are: what begins with `-` is from before, with `+` from after; a hunk's header is set back.
 * @param label what they are, for who does not see them
 */
export function renderMarkedLines(lines: readonly string[], label: string): string {
  const classOf = (line: string): string | undefined =>
    line.startsWith("-") ? "pre" : line.startsWith("+") ? "post" : line.startsWith("@@ ") ? "faint" : undefined;
  const marked = lines.map((line) => {
    const own = classOf(line);
    return own === undefined ? escapeHtml(line) : `<span class="${own}">${escapeHtml(line)}</span>`;
  });
  return `<pre tabindex="0" role="group" aria-label="${escapeHtml(label)}">${marked.join("\n")}</pre>`;
}

/**
 * One file that opens from disk and fetches nothing. It holds text of patches and symbol names of objects, which others have written: should one slip through
 * as HTML, no script of it would run, for only the page's own is allowed.
 */
export function renderPage({ title, body, style = "", script = "" }: Page): string {
  const styles = `${SHARED_STYLE}${style}`;
  const allowed = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = `default-src 'none'; style-src ${allowed(styles)}; script-src ${allowed(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><style>${styles}</style></head>
<body><main>
${body}
</main><script>${script}</script></body></html>
`;
}

/**
 * Colours have a contrast of at least 4.5 to 1 on their backgrounds (WCAG 2.2, AA); none of them tells what no text tells. Paper is white, whatever the screen is: of colours for a dark
 * one a printer makes a pale grey.
 */
const SHARED_STYLE = `
:root { color-scheme: light dark; --text: #1c1c1c; --faint: #5a5a5a; --back: #fff; --code: #f4f4f4; --line: #c8c8c8; --gone: #a00000; --come: #006300; --gone-back: #fdecec; --come-back: #eaf6ea; --link: #0b57b8; }
@media screen and (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --faint: #a8a8a8; --back: #161616; --code: #202020; --line: #484848; --gone: #ff9c9c; --come: #86d986; --gone-back: #3a1b1b; --come-back: #17301a; --link: #8ab8ff; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0; color: var(--text); background: var(--back); }
main { max-width: 110em; margin: 0 auto; padding: 1em clamp(.6em, 2.5vw, 2em) 4em; }
a { color: var(--link); } small, .faint { color: var(--faint); }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .2em .6em; border-bottom: 1px solid var(--line); }
.n { text-align: right; } pre, code { font-family: ui-monospace, monospace; font-size: 12.5px; }
pre { background: var(--code); padding: .5em; overflow-x: auto; margin: .4em 0; }
.pre { color: var(--gone); } .post { color: var(--come); }
summary { cursor: pointer; padding: .15em 0; } summary:focus-visible, a:focus-visible, pre:focus-visible, button:focus-visible, input:focus-visible { outline: 2px solid var(--link); }
button, input { font: inherit; }
@media print { :root { color-scheme: light; } body { font-size: 11px; } main { max-width: none; padding: 0; } h2, h3, summary { break-after: avoid; } pre, code { font-size: 9.5px; } pre, td { overflow-wrap: anywhere; } pre { white-space: pre-wrap; overflow: visible; } .no-print { display: none; } }
`;
