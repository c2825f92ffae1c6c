/**
 * The page that asks for what is needed to do one thing: what follows from it, its inputs as data, and the way back.
 */
import { type Page, page } from "../Answer.ts"
import { keyOf } from "../FormKey.ts"
import { FormPage, type FormPageProps } from "./FormPage.tsx"
import { type InputEntry, Inputs } from "./Inputs.tsx"

export interface AskProps extends Omit<FormPageProps, "children"> {
  /** What happens when it is sent. */
  readonly text?: string
  readonly inputs?: ReadonlyArray<InputEntry>
  /** It moves money: sent twice, it counts once. */
  readonly once?: boolean
}

/** Its title is its heading, too. */
export const askPage = ({ inputs = [], once = false, text, ...form }: AskProps): Page =>
  page(
    form.title,
    <FormPage {...form}>
      {once ? <input type="hidden" name="key" value={keyOf(form.state)} /> : null}
      {text === undefined ? null : <p class="break-anywhere">{text}</p>}
      <Inputs state={form.state} inputs={inputs} />
    </FormPage>
  )
