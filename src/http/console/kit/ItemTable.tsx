/**
 * A table of items whose columns say what they show of an item.
 */
import type { ComponentChildren } from "preact"
import { type Column, DataTable } from "../ui/Parts.tsx"

export interface ItemColumn<Item> extends Column {
  readonly cell: (item: Item) => ComponentChildren
}

interface ItemTableProps<Item> {
  /** For screen readers. */
  readonly caption: string
  readonly columns: ReadonlyArray<ItemColumn<Item>>
  readonly items: ReadonlyArray<Item>
}

export function ItemTable<Item>({ caption, columns, items }: ItemTableProps<Item>) {
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={items.map((item) => columns.map(({ cell }) => cell(item)))}
    />
  )
}
