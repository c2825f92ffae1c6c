/**
 * In which order a user's calls to one model try its channels. Inside a priority the order comes from a weighted rendezvous
 * hash of user, model and channel: it is the same on every runner, without any state, so that a user stays with one upstream
 * and its prompt cache. Pure: the health of the channels is an argument.
 * @internal
 */
import type { ChannelId, UserId } from "../domain/Ids.ts"

/** What decides a channel's place. */
export interface Weighted {
  /** Stays the same when a channel is renamed, and is the same on every runner. */
  readonly id: ChannelId
  /** The higher number is tried first. */
  readonly priority: number
  /** The share of users inside a priority; a channel of weight 0 comes after all others of it. */
  readonly weight: number
}

/** A channel with the hash of its model and id, which is the same for every user. */
interface Seeded<C> {
  readonly channel: C
  /** 32 bits. */
  readonly seed: number
}

/** The channels of one model: a list for each priority, the highest first. */
export type Tiers<C extends Weighted> = ReadonlyArray<ReadonlyArray<Seeded<C>>>

/**
 * Whether one call should go to a channel. `avoided`: the upstream asked this user to wait. `probe`: its breaker is half-open and
 * waits for one call. `away`: its breaker is open, or its probe is under way.
 */
export type Standing = "ready" | "avoided" | "probe" | "away"

/** The health of one model's channels, for one user, at one moment. */
export interface Health {
  standingOf(channelId: ChannelId): Standing
  /** This call is the probe of that channel; to all others its breaker is open until the probe has ended. */
  claimProbe(channelId: ChannelId): void
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): each bit of the input changes about half of the output. */
const mix = (bits: number): number => {
  let hash = bits
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const GOLDEN = 0x9e3779b1
const TWO_32 = 2 ** 32

/** FNV-1a over UTF-16 code units, mixed. */
const hashText = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Ids above 2^53 may share a hash, which does no harm. */
const hashUser = (userId: UserId): number => {
  const id = Number(userId)
  return mix((id | 0) ^ Math.imul(Math.floor(id / TWO_32), GOLDEN))
}

/** A number between 0 and 1, both excluded, that a user and a channel's seed always have. */
const unitOf = (seed: number, user: number): number => (mix((seed ^ user) + Math.imul(seed, GOLDEN)) + 0.5) / TWO_32

/**
 * The highest is tried first. `-w / ln(u)` makes the chance of being first proportional to the weight (weighted rendezvous
 * hashing, Schindelhauer and Schomaker 2005); without a weight the score is below every other.
 */
const scoreOf = (weight: number, unit: number): number => weight > 0 ? -weight / Math.log(unit) : unit - 1

/** Groups the channels of a model by priority. */
export const tiersOf = <C extends Weighted>(modelId: string, channels: ReadonlyArray<C>): Tiers<C> => {
  const tiers = new Map<number, Array<Seeded<C>>>()
  for (const channel of channels) {
    const seeded = { channel, seed: hashText(`${channel.id} ${modelId}`) }
    const tier = tiers.get(channel.priority)
    if (tier === undefined) tiers.set(channel.priority, [seeded])
    else tier.push(seeded)
  }
  return Array.from(tiers).sort(([a], [b]) => b - a).map(([, tier]) => tier)
}

/** A number between 0 and 1 that a thing and a user always have: the highest of several is the user's own. */
export const scoreFor = (thing: string, userId: UserId): number => unitOf(hashText(thing), hashUser(userId))

const byScore = (a: { score: number; id: ChannelId }, b: { score: number; id: ChannelId }): number =>
  b.score - a.score || (a.id < b.id ? -1 : 1)

const pushTier = <C extends Weighted>(order: Array<C>, tier: ReadonlyArray<Seeded<C>>, user: number): void => {
  const [first] = tier
  if (first !== undefined && tier.length === 1) {
    order.push(first.channel)
    return
  }
  const scored = tier.map(({ channel, seed }) => ({
    channel,
    id: channel.id,
    score: scoreOf(channel.weight, unitOf(seed, user))
  }))
  for (const { channel } of scored.sort(byScore)) order.push(channel)
}

/** The order of tries of a user's calls while every channel is well. The next in it is the failover. */
export const orderOf = <C extends Weighted>(tiers: Tiers<C>, userId: UserId): ReadonlyArray<C> => {
  const order: Array<C> = []
  // Where no two channels share a priority there is nothing to choose.
  const user = tiers.some((tier) => tier.length > 1) ? hashUser(userId) : 0
  for (const tier of tiers) pushTier(order, tier, user)
  return order
}

/**
 * The same order as the channels' health changes it: channels that the user should avoid come after those that are ready, and
 * channels whose breaker is open come last; all of them are tried when nothing else answers. A half-open channel keeps its
 * place only where it would be tried first, and this call is then its probe.
 */
export const orderByHealth = <C extends Weighted>(order: ReadonlyArray<C>, health: Health): ReadonlyArray<C> => {
  // One channel is tried whatever its health, so that there is nothing to probe with.
  if (order.length < 2) return order
  const ready: Array<C> = []
  const avoided: Array<C> = []
  const away: Array<C> = []
  for (const channel of order) {
    const standing = health.standingOf(channel.id)
    if (standing === "ready") ready.push(channel)
    else if (standing === "avoided") avoided.push(channel)
    else if (standing === "away" || ready.length > 0) away.push(channel)
    else {
      health.claimProbe(channel.id)
      ready.push(channel)
    }
  }
  return [...ready, ...avoided, ...away]
}
