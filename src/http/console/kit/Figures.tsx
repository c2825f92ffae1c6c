/**
 * Figures side by side: two in a row on narrow screens.
 */
import type { ComponentProps } from "preact"
import { Figure } from "../ui/Parts.tsx"

export const Figures = ({ figures }: { readonly figures: ReadonlyArray<ComponentProps<typeof Figure>> }) => (
  <div class="row row-cards mb-3">
    {figures.map((figure) => (
      <div key={figure.label} class="col-6 col-lg">
        <Figure {...figure} />
      </div>
    ))}
  </div>
)
