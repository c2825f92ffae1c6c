/**
 * The samples of a text of metrics, as Prometheus would read them.
 */
import { assert } from "@effect/vitest"

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All samples. Any other line, or one that is there twice, fails the test. */
export const samplesOf = (text: string): ReadonlyArray<Sample> => {
  const seen = new Set<string>()
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, name = "", labels = "", value = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ??
      assert.fail(`no sample: ${line}`)
    const which = `${name}{${labels}}`
    assert.isFalse(seen.has(which), `twice: ${which}`)
    seen.add(which)
    return {
      name,
      labels: Object.fromEntries(
        Array.from(labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g), ([, key, text]) => [key, text])
      ),
      value: value === "+Inf" ? Infinity : Number(value)
    }
  })
}

/** The sum of the samples of a name that have these labels. */
export const sumOf = (
  samples: ReadonlyArray<Sample>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number =>
  samples.filter((sample) =>
    sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  ).reduce((sum, { value }) => sum + value, 0)
