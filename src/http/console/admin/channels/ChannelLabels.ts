/**
 * What each term of a channel is called and what it is for. Written out, so that each text is found as used.
 */
import type { ChannelTermName } from "../../../../domain/ChannelTerms.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TermLabel } from "../terms/TermForm.ts"

export const channelLabels = (context: PageContext): Readonly<Record<ChannelTermName, TermLabel>> => {
  const say = sayOf(context, "channelTerm")
  return {
    unknownFields: {
      label: say("unknown"),
      hint: say("unknown.hint"),
      options: { drop: say("unknown.drop"), forward: say("unknown.forward"), refuse: say("unknown.refuse") }
    },
    knownFields: { label: say("known"), hint: say("known.hint") },
    firstByteTimeoutSeconds: { label: say("first"), hint: say("first.hint") },
    idleTimeoutSeconds: { label: say("idle"), hint: say("idle.hint") },
    storesResponses: { label: say("stores"), hint: say("stores.hint") },
    inputOverheadTokens: { label: say("overhead"), hint: say("overhead.hint") },
    maxConnections: { label: say("connections"), hint: say("connections.hint") }
  }
}
