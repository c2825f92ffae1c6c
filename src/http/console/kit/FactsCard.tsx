/**
 * What is known of one thing, in a card; below it, what can be done with it.
 */
import type { ComponentChildren } from "preact"
import { Card } from "../ui/Parts.tsx"
import { type Fact, Facts } from "./Facts.tsx"

interface FactsCardProps {
  readonly title?: string
  readonly facts: ReadonlyArray<Fact>
  readonly footer?: ComponentChildren
}

export const FactsCard = ({ facts, footer, title }: FactsCardProps) => (
  <Card class="mb-3" {...title === undefined ? {} : { title }}>
    <div class="card-body">
      <Facts facts={facts} />
    </div>
    {footer ? <div class="card-footer">{footer}</div> : null}
  </Card>
)
