/** The key of a form that counts once however often it is sent. */
import { randomUUID } from "node:crypto"
import type { FormState } from "./Answer.ts"

/** A form that is refused as a whole goes on with a key of its own; one with a wrong field keeps its key. */
export const keyOf = ({ problems, values }: FormState): string => {
  const key = values.get("key") ?? ""
  return key === "" || problems["form"] !== undefined ? randomUUID() : key
}
