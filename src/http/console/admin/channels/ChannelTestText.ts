/**
 * What a test of a channel came to, in a sentence.
 */
import type { ChannelTestOutcome } from "../../../../gateway/ChannelTest.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"

/** `unknown_model` was not even asked. */
export type TestResult = ChannelTestOutcome | "unknown_model"

export const testText = (context: Pick<PageContext, "language" | "formats">, result: TestResult): string => {
  const say = sayOf(context, "channels")
  if (result === "unknown_model") return say("test.unknown")
  const { model, reason, status } = result
  const seconds = context.formats.seconds(result.latencyMs)
  if (reason === null) return say("test.ok", { model, seconds })
  const why = {
    no_key: say("test.no_key"),
    key_unreadable: say("test.key_unreadable"),
    forbidden: say("test.forbidden"),
    connect: say("test.connect"),
    timeout: say("test.timeout"),
    broken: say("test.broken"),
    unauthorized: say("test.unauthorized"),
    unpaid: say("test.unpaid"),
    not_found: say("test.not_found"),
    rate_limited: say("test.rate_limited"),
    refused: say("test.refused"),
    upstream_error: say("test.upstream_error"),
    not_chat: say("test.not_chat")
  }[reason]
  return status === null
    ? say("test.failed", { model, seconds, reason: why })
    : say("test.failed.status", { model, seconds, status, reason: why })
}
