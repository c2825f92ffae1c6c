/**
 * In which order the channels of a model are tried: by priority, the higher number first; inside one priority by a
 * shuffle in which the weights decide who comes first. Pure: chance and the channels' health are arguments.
 * @internal
 */

/** What decides a channel's place. */
export interface Weighted {
  readonly id: bigint
  /** The higher is tried first. */
  readonly priority: number
  /** The share of calls inside a priority; of weight 0 only after all others of it. */
  readonly weight: number
}

/** The channels of one model: a list for each priority, the highest first. */
export type Tiers<C extends Weighted> = ReadonlyArray<ReadonlyArray<C>>

/** An integer from 0 to `below` - 1, each as likely. */
export type RandomBelow = (below: number) => number

/** What is known of the channels' health at this moment. */
export interface Health {
  isOpen(channelId: bigint): boolean
  isHalfOpen(channelId: bigint): boolean
  probe(channelId: bigint): void
}

/** Groups channels by priority. */
export const tiersOf = <C extends Weighted>(channels: ReadonlyArray<C>): Tiers<C> => {
  const tiers = new Map<number, Array<C>>()
  for (const channel of channels) {
    const tier = tiers.get(channel.priority)
    if (tier === undefined) tiers.set(channel.priority, [channel])
    else tier.push(channel)
  }
  return Array.from(tiers).sort(([a], [b]) => b - a).map(([, tier]) => tier)
}

/** Takes one out by lot: by weight, and evenly when all that are left have weight 0. */
const draw = <C extends Weighted>(left: Array<C>, random: RandomBelow): ReadonlyArray<C> => {
  const total = left.reduce((sum, channel) => sum + channel.weight, 0)
  if (total === 0) return left.splice(random(left.length), 1)
  let ticket = random(total)
  const index = left.findIndex((channel) => (ticket -= channel.weight) < 0)
  return left.splice(index, 1)
}

const shuffle = <C extends Weighted>(tier: ReadonlyArray<C>, random: RandomBelow): ReadonlyArray<C> => {
  if (tier.length < 2) return tier
  const left = tier.slice()
  const shuffled: Array<C> = []
  while (left.length > 0) shuffled.push(...draw(left, random))
  return shuffled
}

/**
 * The order of tries. Channels that calls should stay away from come last, and are tried all the same when nothing else
 * answers. A half-open one is tried where it stands only if it stands first, as its probe.
 */
export const orderOfTries = <C extends Weighted>(
  tiers: Tiers<C>,
  health: Health,
  random: RandomBelow
): ReadonlyArray<C> => {
  const ordered = tiers.length === 1 ? shuffle(tiers[0] ?? [], random) : tiers.flatMap((tier) => shuffle(tier, random))
  const passing: Array<C> = []
  const avoided: Array<C> = []
  for (const channel of ordered) {
    if (health.isOpen(channel.id)) avoided.push(channel)
    else if (!health.isHalfOpen(channel.id)) passing.push(channel)
    else if (passing.length > 0) avoided.push(channel)
    else {
      health.probe(channel.id)
      passing.push(channel)
    }
  }
  return avoided.length === 0 ? ordered : [...passing, ...avoided]
}
