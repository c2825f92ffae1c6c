/**
 * The side of a thread that is asked by `WorkerThread`. It needs nothing else, so that a thread starts quickly.
 */
import { parentPort } from "node:worker_threads"

export interface Asked<Order> {
  readonly id: number
  readonly order: Order
}

export interface Answered<Answer> {
  readonly id: number
  readonly answer: Answer
}

/** Bytes as memory of their own, which can be given to a thread; a copy where they share theirs with others. */
export const memoryOf = ({ buffer, byteLength, byteOffset }: Uint8Array): ArrayBuffer => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer
  const own = new ArrayBuffer(byteLength)
  new Uint8Array(own).set(new Uint8Array(buffer, byteOffset, byteLength))
  return own
}

/** Answers what the thread is asked; called once, by its module. `transferredOf`: what goes with the answer without a copy. */
export const serveOrders = <Order, Answer>(
  answerOf: (order: Order) => Answer,
  transferredOf: (answer: Answer) => ReadonlyArray<ArrayBuffer> = () => []
): void => {
  parentPort?.on("message", ({ id, order }: Asked<Order>) => {
    const answer = answerOf(order)
    parentPort?.postMessage({ id, answer } satisfies Answered<Answer>, [...transferredOf(answer)])
  })
}
