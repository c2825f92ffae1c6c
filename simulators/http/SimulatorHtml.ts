/**
 * The pages of the simulated payment providers: plain HTML without a script, every value escaped unless it is HTML that
 * was made here.
 */

export class SimulatorHtml {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "")

type Part = string | number | SimulatorHtml | ReadonlyArray<SimulatorHtml>

const written = (part: Part): string =>
  part instanceof SimulatorHtml
    ? part.text
    : typeof part === "object"
    ? part.map((one) => one.text).join("")
    : escaped(String(part))

/** A template whose values are escaped. */
export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): SimulatorHtml =>
  new SimulatorHtml(strings.map((text, index) => index === 0 ? text : written(parts[index - 1] ?? "") + text).join(""))

/** A whole document. */
export const page = (title: string, body: SimulatorHtml): string =>
  html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body><main><h1>${title}</h1>${body}<p><small>Simulated. No money moves.</small></p></main></body>
</html>
`.text

export const pageHeaders = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }
