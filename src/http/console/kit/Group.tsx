/**
 * Fields of a form that belong together, under their name.
 */
import type { ComponentChildren } from "preact"

interface GroupProps {
  /** Of what is wrong with all of it, to which the error summary leads. */
  readonly name?: string
  readonly title: string
  readonly hint?: string
  readonly children: ComponentChildren
}

export const Group = ({ children, hint, name, title }: GroupProps) => (
  <fieldset id={name === undefined ? undefined : `field-${name}`} class="form-group-section">
    <legend>{title}</legend>
    {hint === undefined ? null : <p class="form-hint">{hint}</p>}
    {children}
  </fieldset>
)
