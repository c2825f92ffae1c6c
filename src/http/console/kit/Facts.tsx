/**
 * What is known of one thing, each with its name.
 */
import type { ComponentChildren } from "preact"
import { Fragment } from "preact"

/** A name and a value; null where there is nothing to say. */
export type Fact = readonly [name: string, value: ComponentChildren] | null

export const Facts = (
  { class: className = "mb-0", facts }: { readonly facts: ReadonlyArray<Fact>; readonly class?: string }
) => (
  <dl class={`facts ${className}`}>
    {facts.map((fact) =>
      fact === null ? null : (
        <Fragment key={fact[0]}>
          <dt>{fact[0]}</dt>
          <dd>{fact[1]}</dd>
        </Fragment>
      )
    )}
  </dl>
)
