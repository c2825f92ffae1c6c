/**
 * A button that asks the browser for a passkey and sends the form with what was signed. It is shown by the page's script, and only where
 * the browser knows passkeys.
 */
import { type PageContext, sayOf } from "../PageContext.ts"
import { Icon } from "./Icon.tsx"

interface PasskeyButtonProps {
  readonly context: PageContext
  /** A new one is made, or one is used. */
  readonly does: "create" | "get"
  /** What the browser is asked, as JSON. */
  readonly options: string
  readonly text: string
  /** Classes of the button besides `btn`. */
  readonly look?: string
}

export const PasskeyButton = ({ does, look = "", options, text, context }: PasskeyButtonProps) => (
  <div class="mb-3" data-passkey-box hidden>
    <input type="hidden" name="passkey" value="" />
    <button type="button" class={`btn ${look}`} data-passkey={does} data-options={options}>
      <Icon name="key" />
      {text}
    </button>
    <div class="invalid-feedback" data-passkey-failed role="alert" hidden>
      {sayOf(context, "passkeys")("failed")}
    </div>
  </div>
)
