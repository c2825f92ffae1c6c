/**
 * Parts of a page side by side where there is room, each as wide as its class says.
 */
import type { ComponentChildren } from "preact"

/** A part that is null is left out. */
export type Cell = readonly [width: string, content: ComponentChildren]

export const Grid = ({ cells, class: more = "" }: { readonly cells: ReadonlyArray<Cell>; readonly class?: string }) => (
  <div class={`row g-3 ${more}`}>
    {cells.map(([width, content], at) => content === null ? null : <div key={at} class={width}>{content}</div>)}
  </div>
)
