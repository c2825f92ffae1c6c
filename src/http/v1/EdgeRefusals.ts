/**
 * How a request is refused where it arrives, before anything is known of its call.
 *
 * @internal
 */
import { CallRefused, unavailable } from "../../gateway/CallError.ts"

export const noKey = new CallRefused({
  code: "invalid_api_key",
  message: "You did not provide an API key. Send it as `Authorization: Bearer sk-…`."
})

export const invalidKey = {
  unknown: new CallRefused({ code: "invalid_api_key", message: "Incorrect API key provided." }),
  paused: new CallRefused({
    code: "invalid_api_key",
    message: "This API key is paused. Resume it in the console, under API keys, to use it again."
  })
} as const

export const tooManyCalls = new CallRefused({
  code: "rate_limit_exceeded",
  message: "Too many calls are open with this key.",
  retryAfterSeconds: 1
})

export const tooManyReads = new CallRefused({
  code: "rate_limit_exceeded",
  message: "Too many receipts are asked for at once.",
  retryAfterSeconds: 1
})

export const wrongNetwork = new CallRefused({
  code: "network_not_allowed",
  message: "This API key may not be used from this network. Its user can change that in the console, under API keys."
})

export const noFunds = (publicUrl: string) =>
  new CallRefused({
    code: "insufficient_quota",
    message: `You have no balance and no subscription. Top up at ${publicUrl}/topup to make calls.`
  })

export const stopping = unavailable("The server is stopping. Please try again shortly.")

export const failedInside = unavailable("The gateway failed to answer this request.")
