/**
 * The thread that counts tokens: gets texts, answers the sum of their tokens.
 *
 * @internal
 */
import { serveOrders } from "../../platform/ServeOrders.ts"
import { countTokens } from "./TokenCount.ts"

serveOrders((texts: ReadonlyArray<string>): number => {
  let tokens = 0
  for (const text of texts) tokens += countTokens(text)
  return tokens
})
