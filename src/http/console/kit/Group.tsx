/**
 * Fields of a form that belong together, under their name.
 */
import type { ComponentChildren } from "preact"

interface GroupProps {
  readonly title: string
  readonly hint?: string
  readonly children: ComponentChildren
}

export const Group = ({ children, hint, title }: GroupProps) => (
  <fieldset class="form-group-section">
    <legend>{title}</legend>
    {hint === undefined ? null : <p class="form-hint">{hint}</p>}
    {children}
  </fieldset>
)
