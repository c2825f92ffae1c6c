/**
 * The thread that reads long answers: it gets the memory of an answer, and gives it back with what it found.
 *
 * @internal
 */
import { serveOrders } from "../../platform/ServeOrders.ts"
import type { Dialect } from "../request/Call.ts"
import { type Answer, readAnswer } from "./Answer.ts"
import { dataOf, type SampleData, TextSample } from "./TextSample.ts"

/** What the thread is asked. The answer is all of the memory. */
export interface ReadOrder {
  readonly dialect: Dialect
  readonly memory: ArrayBuffer
}

/** What it answers. */
export interface ReadMemory {
  readonly memory: ArrayBuffer
  readonly answer: Omit<Answer, "sample">
  readonly sample: SampleData
}

const nothing = new TextSample()

serveOrders(({ dialect, memory }: ReadOrder): ReadMemory => {
  const { sample, ...answer } = readAnswer(new Uint8Array(memory), dialect)
  return { memory, answer, sample: dataOf(sample instanceof TextSample ? sample : nothing) }
}, ({ memory }) => [memory])
