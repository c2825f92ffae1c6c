/**
 * What each term of a channel is called and what it is for. Written out, so that each text is found as used.
 */
import type { ChannelTermKey } from "../../../../domain/ChannelTermList.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TermLabel } from "../terms/TermForm.ts"

export const channelLabels = (context: PageContext): Readonly<Record<ChannelTermKey, TermLabel>> => {
  const say = sayOf(context, "channelTerm")
  return {
    unknown_fields: {
      label: say("unknown"),
      hint: say("unknown.hint"),
      options: { drop: say("unknown.drop"), forward: say("unknown.forward"), refuse: say("unknown.refuse") }
    },
    known_fields: { label: say("known"), hint: say("known.hint") },
    first_byte_timeout_seconds: { label: say("first"), hint: say("first.hint") },
    idle_timeout_seconds: { label: say("idle"), hint: say("idle.hint") },
    stores_responses: { label: say("stores"), hint: say("stores.hint") },
    input_overhead_tokens: { label: say("overhead"), hint: say("overhead.hint") },
    max_connections: { label: say("connections"), hint: say("connections.hint") }
  }
}
