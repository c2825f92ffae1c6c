/**
 * A thread that answers an order when its gate is opened: a value other than 0 in shared memory.
 */
import { serveOrders } from "../../src/platform/ServeOrders.ts"

export interface GatedOrder {
  readonly gate: Int32Array
  readonly name: string
}

serveOrders(({ gate, name }: GatedOrder): string => {
  Atomics.wait(gate, 0, 0)
  return name
})
