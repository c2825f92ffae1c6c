/**
 * The streams kept in `fixtures/`, written after what real upstreams send: a line of a `.jsonl` is the data of one
 * frame, a `.txt` is sent byte for byte.
 */
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { UpstreamFrame } from "./UpstreamAnswer.ts"

const folder = new URL("./fixtures/", import.meta.url)

export type Fixture =
  | { readonly _tag: "Frames"; readonly frames: ReadonlyArray<UpstreamFrame>; readonly last: unknown }
  | { readonly _tag: "Raw"; readonly text: string }

const read = (file: string): string | undefined => {
  const path = fileURLToPath(new URL(file, folder))
  return existsSync(path) ? readFileSync(path, "utf8") : undefined
}

const deltaKeys = ["content", "reasoning_content", "tool_calls"]

type Chunk = {
  readonly type?: string
  readonly delta?: unknown
  readonly choices?: ReadonlyArray<{ readonly delta?: { readonly [key: string]: unknown } }>
}

const carriesText = (chunk: Chunk): boolean =>
  typeof chunk.delta === "string" ||
  (chunk.choices ?? []).some(({ delta }) => deltaKeys.some((key) => delta?.[key] !== null && Boolean(delta?.[key])))

/** The fixture of that name; undefined when there is none. Names have no dots or slashes. */
export function fixtureOf(name: string): Fixture | undefined {
  if (!/^[a-z0-9-]+$/.test(name)) return undefined
  const raw = read(`${name}.txt`)
  if (raw !== undefined) return { _tag: "Raw", text: raw }
  const lines = read(`${name}.jsonl`)?.split("\n").filter((line) => line !== "")
  if (lines === undefined) return undefined
  let last: unknown
  const frames = lines.map((data): UpstreamFrame => {
    const chunk: Chunk = JSON.parse(data)
    last = chunk
    const tokens = carriesText(chunk) ? 1 : 0
    return chunk.type === undefined ? { data, tokens } : { event: chunk.type, data, tokens }
  })
  return { _tag: "Frames", frames, last }
}
