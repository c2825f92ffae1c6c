/**
 * The state of a thing as a badge. Each kind of thing has a table of its states: the tone and the text of each.
 */
import type { Say } from "../text/Messages.ts"
import { Badge, type Tone } from "../ui/Parts.tsx"

export type States<State extends string, Key extends string> = Readonly<Record<State, readonly [tone: Tone, key: Key]>>

interface StateBadgeProps<State extends string, Key extends string> {
  readonly say: Say<Key>
  readonly states: States<State, Key>
  readonly state: State
}

export function StateBadge<State extends string, Key extends string>(
  { say, state, states }: StateBadgeProps<State, Key>
) {
  const [tone, key] = states[state]
  return <Badge tone={tone}>{say(key)}</Badge>
}
