/**
 * The page of a list: its heading, what is wrong with its filter, and the list.
 */
import type { ComponentChildren } from "preact"
import { type Page, page } from "../Answer.ts"
import { Notice } from "../ui/Forms.tsx"
import { PageHeading } from "../ui/Parts.tsx"
import { List, type ListProps } from "./List.tsx"

interface ListPageProps<Item> extends Omit<ListProps<Item>, "caption"> {
  readonly title: string
  readonly lead?: string
  /** Beside the heading, such as the link to a new one. */
  readonly actions?: ComponentChildren
  readonly warning?: string | undefined
}

export function listPage<Item>({ actions, lead, title, warning, ...list }: ListPageProps<Item>): Page {
  return page(
    title,
    <>
      <PageHeading title={title} lead={lead}>{actions}</PageHeading>
      {warning === undefined ? null : <Notice kind="warning">{warning}</Notice>}
      <List caption={title} {...list} />
    </>
  )
}
