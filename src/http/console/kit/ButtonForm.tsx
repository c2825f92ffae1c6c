/**
 * A form that is one button: what it says, what it sends, and what is asked before it is sent.
 */
import type { ComponentChildren } from "preact"
import type { PageContext } from "../PageContext.ts"
import { PostForm } from "../ui/Forms.tsx"

interface ButtonFormProps {
  readonly context: PageContext
  readonly action: string
  readonly button: ComponentChildren
  /** Classes of the button besides `btn`, and of the form. */
  readonly look?: string
  readonly class?: string
  /** Sent with it. */
  readonly fields?: Readonly<Record<string, string>>
  /** Asked before it is sent, where scripts run. */
  readonly confirm?: string
  /** Below the button. */
  readonly children?: ComponentChildren
}

export const ButtonForm = ({ button, children, fields = {}, look = "", ...form }: ButtonFormProps) => (
  <PostForm {...form}>
    {Object.entries(fields).map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
    <button class={`btn ${look}`} type="submit">{button}</button>
    {children}
  </PostForm>
)
