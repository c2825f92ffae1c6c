/**
 * Columns that many tables have: amounts, and times.
 */
import type { ComponentChildren } from "preact"
import type { PageContext } from "../PageContext.ts"
import { Moment } from "../ui/Parts.tsx"
import type { ItemColumn } from "./ItemTable.tsx"

/** Numbers with their unit, which stay on one line. */
export function amountColumn<Item>(title: string, amountOf: (item: Item) => ComponentChildren): ItemColumn<Item> {
  return { title, number: true, cell: (item) => <span class="nowrap">{amountOf(item)}</span> }
}

/** When something was; `never` says that it was not. Left out on narrow screens. */
export function timeColumn<Item>(
  context: PageContext,
  title: string,
  atOf: (item: Item) => Date | null,
  never: ComponentChildren = "–"
): ItemColumn<Item> {
  const cell = (item: Item) => {
    const at = atOf(item)
    return at === null ? never : (
      <span class="nowrap">
        <Moment context={context} at={at} />
      </span>
    )
  }
  return { title, wide: true, cell }
}
