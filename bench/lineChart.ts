/**
 * Curves as a picture: panels side by side, each with its lines over the same sizes, evenly spaced.
 */

export interface Line {
  readonly name: string
  readonly values: ReadonlyArray<number>
}

export interface Panel {
  readonly title: string
  readonly lines: ReadonlyArray<Line>
}

const WIDTH = 300
const HEIGHT = 150
const LEFT = 20
const TOP = 58
const BOTTOM = 28
const COLOURS = ["#206bc4", "#f76707"]

const short = (value: number): string =>
  value >= 1e6
    ? `${Number((value / 1e6).toFixed(1))}M`
    : value >= 1e3
    ? `${Number((value / 1e3).toFixed(1))}k`
    : String(Number(value.toFixed(1)))

const panelSvg = ({ lines, title }: Panel, labels: ReadonlyArray<string>, left: number): string => {
  const top = Math.max(...lines.flatMap(({ values }) => values), Number.MIN_VALUE)
  const x = (index: number): number =>
    Math.round(left + (labels.length < 2 ? WIDTH / 2 : (index * WIDTH) / (labels.length - 1)))
  const y = (value: number): number => Math.round(TOP + HEIGHT * (1 - value / top))
  const names = lines.map(({ name }, index) =>
    `<text x="${left + index * 100}" y="${TOP - 22}" fill="${COLOURS[index % COLOURS.length]}">${name}</text>`
  )
  const curves = lines.map(({ values }, index) => {
    const colour = COLOURS[index % COLOURS.length]
    const points = values.map((value, at) => `${x(at)},${y(value)}`).join(" ")
    // Of very many values only the first, the largest and the last are named.
    const named = values.length <= LABELS_MAX
      ? values.map((_, at) => at)
      : [...new Set([0, values.indexOf(Math.max(...values)), values.length - 1])]
    const dots = named.map((at) => {
      const value = values[at] ?? 0
      return `<circle cx="${x(at)}" cy="${y(value)}" r="3" fill="${colour}"/>` +
        `<text x="${x(at)}" y="${y(value) - 6}" text-anchor="middle" font-size="10">${short(value)}</text>`
    })
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}`
  })
  const step = Math.ceil(labels.length / LABELS_MAX)
  const ticks = labels.flatMap((label, index) =>
    index % step === 0
      ? [`<text x="${x(index)}" y="${TOP + HEIGHT + 18}" text-anchor="middle" font-size="11">${label}</text>`]
      : []
  )
  const floor = TOP + HEIGHT
  return `<text x="${left}" y="16" font-weight="bold">${title}</text>${names.join("")}` +
    `<line x1="${left}" y1="${floor}" x2="${left + WIDTH}" y2="${floor}" stroke="#dadfe5"/>${curves.join("")}${
      ticks.join("")
    }`
}

/** So many labels have room below a panel, and so many values beside a line. */
const LABELS_MAX = 9

/** `sizes`: what the values of every line belong to. */
export const lineChart = (about: string, sizes: ReadonlyArray<number>, panels: ReadonlyArray<Panel>): string => {
  const labels = sizes.map(short)
  const step = WIDTH + 3 * LEFT
  const drawn = panels.map((panel, index) => panelSvg(panel, labels, LEFT + index * step))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${panels.length * step}" height="${TOP + HEIGHT + BOTTOM}" ` +
    `font-family="sans-serif" font-size="13" fill="#626976" role="img" aria-label="${about}">${drawn.join("")}</svg>\n`
}
