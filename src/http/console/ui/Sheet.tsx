/**
 * The one card of a page without navigation, such as signing in: a heading, a sentence, and what is to be done.
 */
import type { ComponentChildren } from "preact"

export const Sheet = (
  { children, lead, title }: {
    readonly title: string
    readonly lead: ComponentChildren
    readonly children?: ComponentChildren
  }
) => (
  <section class="card card-md mt-sm-4">
    <div class="card-body">
      <h1 class="h2 mb-1">{title}</h1>
      <p class="text-secondary mb-4">{lead}</p>
      {children}
    </div>
  </section>
)
