/**
 * A card whose content stands off its edges, as text and forms do.
 */
import type { ComponentProps } from "preact"
import { Card } from "../ui/Parts.tsx"

export const Panel = ({ children, ...card }: ComponentProps<typeof Card>) => (
  <Card {...card}>
    <div class="card-body">{children}</div>
  </Card>
)
