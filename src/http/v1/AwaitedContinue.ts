/**
 * Clients that ask before they send a body (`Expect: 100-continue`, RFC 9110, section 10.1.1).
 * @internal
 */
import type { IncomingMessage } from "node:http"

/** As Node's server decides it: such a request comes as `checkContinue`, and nobody has answered it yet. */
export const awaitsContinue = ({ headers, httpVersion }: Pick<IncomingMessage, "headers" | "httpVersion">): boolean =>
  httpVersion === "1.1" && headers.expect !== undefined && /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect)
