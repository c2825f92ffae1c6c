/**
 * A QR code as a picture of one path, black on white in either theme, so that every camera reads it.
 */
import { encode } from "uqr"

/** White around the code, in modules: readers ask for four. */
const QUIET_MODULES = 4

/** Each run of black modules of a line is one stroke. */
const pathOf = (lines: ReadonlyArray<ReadonlyArray<boolean>>): string =>
  lines.flatMap((line, y) => {
    const strokes: Array<string> = []
    for (let x = 0; x < line.length; x++) {
      const start = x
      while (line[x] === true) x++
      if (x > start) strokes.push(`M${start} ${y}h${x - start}v1h${start - x}z`)
    }
    return strokes
  }).join("")

export const QrCode = ({ label, text }: { readonly text: string; readonly label: string }) => {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_MODULES })
  return (
    <svg class="qr-code" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={pathOf(data)} fill="#000" />
    </svg>
  )
}
