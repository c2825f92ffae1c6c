/**
 * Sends what is queued, as long as the server runs: gives notices their deliveries, hands mails to the mail server and posts to webhooks,
 * and tries again what was not taken, with growing waits, until it is too old. One server at a time has a delivery. It is delivered once,
 * unless a server dies between the receiver's answer and writing that down: then it comes again, under the same Message-ID or webhook-id.
 */
import { Clock, Context, Effect, Layer, Metric, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { Settings } from "../settings/Settings.ts"
import {
  claimDeliveries,
  cleanNotices,
  type DeliveryLane,
  disableEndpoint,
  type DueDelivery,
  endDelivery,
  retryDelivery,
  spreadAll
} from "./DeliveryStore.ts"
import { Mailer } from "./Mailer.ts"
import { isNoticeKind, TEST_KIND } from "./NoticeKinds.ts"
import { makeLane, type NoticeLane } from "./NoticeLane.ts"
import { mailText, type NoticeText, textOfNotice } from "./NoticeTexts.ts"
import { WebhookClient } from "./WebhookClient.ts"
import { WebhookEndpoints } from "./WebhookEndpoints.ts"
import { sign } from "./WebhookSignature.ts"

/** How often deliveries are looked for and tried. Replaced in tests. */
export interface NoticeTiming {
  /** Between two looks, in milliseconds. */
  readonly everyMs: number
  /** Before the second attempt; each further one waits twice as long. */
  readonly retrySecondsMin: number
  readonly retrySecondsMax: number
  /** Attempts of a delivery, at most. */
  readonly attemptsMax: number
  /** A notice that is older gets one last attempt. */
  readonly ageHoursMax: number
  /** A server that stops waits so long for what is under way, in milliseconds. */
  readonly stopMs: number
}

export const NoticeTiming = Context.Reference<NoticeTiming>("realms/notices/NoticeTiming", {
  defaultValue: () => ({
    everyMs: 2_000,
    retrySecondsMin: 30,
    retrySecondsMax: 21_600,
    attemptsMax: 14,
    ageHoursMax: 72,
    stopMs: 2_000
  })
})

/** Longer than any attempt takes, in seconds: after it a delivery is taken to be nobody's. */
const LEASE_SECONDS = 120

/** Of what went wrong, in characters. */
const PROBLEM_CHARACTERS_MAX = 300

const RETENTION_DAYS = 90
const CLEAN_MS = 600_000

/** What became of an attempt. `gone`: the endpoint wants nothing any more. */
type Outcome =
  | { readonly is: "sent" }
  | { readonly is: "dropped" | "failed" | "unavailable" | "gone"; readonly problem: string }

const sent: Outcome = { is: "sent" }

const attemptsTotal = Metric.counter("realms_notices_total", {
  description: "Attempts to deliver notices, by channel and by what became of them",
  incremental: true
})

const countAttempt = (channel: DueDelivery["channel"], outcome: Outcome["is"], count: number) =>
  Metric.update(Metric.withAttributes(attemptsTotal, { channel, outcome }), count)

export class NoticeSender extends Context.Service<NoticeSender, {
  /**
   * Spreads notices and sends deliveries until it is interrupted: mails and root's webhooks, and those of users, wait for nothing of one
   * another.
   */
  readonly run: Effect.Effect<void>
  /** Spreads and tries what is due now; answers how many deliveries were tried. */
  readonly round: Effect.Effect<number, SqlError.SqlError>
}>()("realms/notices/NoticeSender") {
  static readonly layer = Layer.effect(NoticeSender)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const mailer = yield* Mailer
    const client = yield* WebhookClient
    const endpoints = yield* WebhookEndpoints
    const settings = yield* Settings
    const address = yield* PublicAddress
    const timing = yield* NoticeTiming
    // The counts are there from the start, so that the first failure is seen as an increase.
    for (const channel of ["mail", "webhook"] as const) {
      for (const outcome of ["sent", "failed", "unavailable"] as const) yield* countAttempt(channel, outcome, 0)
    }

    const mail = (delivery: DueDelivery, text: NoticeText): Effect.Effect<Outcome> => {
      const { email, language, uid } = delivery
      if (email === null) return Effect.succeed({ is: "dropped", problem: "" })
      const { site, smtp } = settings.current()
      return mailer.send({
        to: email,
        subject: `[${site.name}] ${text.title}`,
        text: mailText(text, { language, siteName: site.name, publicUrl: address.url() }),
        messageId: `${uid}@${smtp.from.split("@")[1] ?? "localhost"}`
      }).pipe(
        Effect.as(sent),
        Effect.catchTags({
          MailNotConfigured: ({ message }) => Effect.succeed<Outcome>({ is: "unavailable", problem: message }),
          MailUnavailable: ({ reason }) => Effect.succeed<Outcome>({ is: "unavailable", problem: reason }),
          MailRefused: ({ reason }) => Effect.succeed<Outcome>({ is: "failed", problem: reason })
        })
      )
    }

    const post = Effect.fnUntraced(
      function*(delivery: DueDelivery, { link: _, path, text, title }: NoticeText) {
        const { at, data, endpointId, kind, noticeUserId, uid, url } = delivery
        if (endpointId === null || url === null) return { is: "dropped", problem: "" } satisfies Outcome
        const secrets = yield* endpoints.secretsOf(endpointId)
        // The installation's webhook is not on a user's page.
        const page = kind === TEST_KIND && noticeUserId === null ? "/admin/notices" : path
        const body = JSON.stringify({
          type: kind,
          timestamp: at.toISOString(),
          title,
          text,
          url: `${address.url()}${page}`,
          data
        })
        const timestamp = Math.floor((yield* Clock.currentTimeMillis) / MS_PER_SECOND)
        const headers = sign(secrets, { id: uid, timestamp, body })
        return yield* client.post({ owner: noticeUserId === null ? "root" : "user", url, headers, body }).pipe(
          Effect.as(sent),
          Effect.catch(({ isGone, reason }) =>
            Effect.succeed<Outcome>({ is: isGone ? "gone" : "unavailable", problem: reason })
          )
        )
      },
      Effect.catchTags({
        SecretUnreadable: ({ message }) => Effect.succeed<Outcome>({ is: "unavailable", problem: message }),
        MasterKeyInvalid: ({ message }) => Effect.succeed<Outcome>({ is: "unavailable", problem: message })
      })
    )

    const attempt = Effect.fnUntraced(function*(delivery: DueDelivery) {
      const { data, kind, language } = delivery
      const text = isNoticeKind(kind) ? textOfNotice(kind, data, language) : Option.none()
      if (Option.isNone(text)) {
        // Written by another version of this program: that one sends it, or nobody can.
        return { is: "unavailable", problem: `no text for a notice of the kind ${kind}` } satisfies Outcome
      }
      return yield* delivery.channel === "mail" ? mail(delivery, text.value) : post(delivery, text.value)
    })

    const waitOf = (attempts: number): number =>
      Math.min(timing.retrySecondsMin * 2 ** (attempts - 1), timing.retrySecondsMax)

    const conclude = (delivery: DueDelivery, outcome: Outcome) => {
      const { attempts, id, isLast } = delivery
      if (outcome.is === "sent") return endDelivery(sql, id, { state: "sent", problem: "" })
      const problem = outcome.problem.slice(0, PROBLEM_CHARACTERS_MAX).toWellFormed()
      if (outcome.is === "unavailable" && !isLast) {
        return retryDelivery(sql, id, { afterSeconds: waitOf(attempts), problem })
      }
      const ended = endDelivery(sql, id, { state: outcome.is === "dropped" ? "dropped" : "failed", problem })
      return outcome.is === "gone" && delivery.endpointId !== null
        ? Effect.andThen(ended, disableEndpoint(sql, delivery.endpointId))
        : ended
    }

    /**
     * One that cannot be concluded is taken again after its lease, and keeps no other. A stop does not come between what became of an
     * attempt and writing that down.
     */
    const deliver = (delivery: DueDelivery): Effect.Effect<boolean> =>
      Effect.uninterruptibleMask((restore) =>
        restore(attempt(delivery)).pipe(
          // It counts as an attempt, so that it ends one day.
          Effect.catchDefect((defect) =>
            Effect.as(
              Effect.logError("a notice could not be made", { delivery: delivery.uid }, defect),
              { is: "unavailable", problem: "the notice could not be made" } satisfies Outcome
            )
          ),
          Effect.tap((outcome) => countAttempt(delivery.channel, outcome.is, 1)),
          Effect.tap((outcome) => conclude(delivery, outcome)),
          Effect.map(({ is }) => is === "sent" || is === "dropped"),
          Effect.catch((error) =>
            Effect.as(Effect.logWarning("a notice was left as it was", { delivery: delivery.uid }, error), false)
          )
        )
      )

    const laneOf = (lane: DeliveryLane) =>
      makeLane({
        claim: (limit, busy) =>
          claimDeliveries(sql, {
            lane,
            busy,
            limit,
            leaseSeconds: LEASE_SECONDS,
            attemptsMax: timing.attemptsMax,
            ageHoursMax: timing.ageHoursMax
          }),
        deliver,
        stopMs: timing.stopMs
      })

    const makeLanes = Effect.all([laneOf("ours"), laneOf("users")])

    const spread = Effect.flatMap(mailer.configured, (hasMail) => spreadAll(sql, { hasMail }))

    const sending = ({ look, missed, tried }: NoticeLane) => {
      let [triedBefore, missedBefore] = [0, 0]
      const say = Effect.suspend(() => {
        const counts = { tried: tried() - triedBefore, missed: missed() - missedBefore }
        triedBefore += counts.tried
        missedBefore += counts.missed
        // Why is in the list of deliveries: what a receiver said may name people.
        return counts.missed === 0 ? Effect.void : Effect.logWarning("notices were not taken", counts)
      })
      return inRounds(Effect.andThen(look, say), {
        failure: "notices could not be sent",
        everyMs: timing.everyMs
      })
    }

    const run = Effect.scoped(Effect.flatMap(makeLanes, (lanes) =>
      Effect.all([
        inRounds(spread, { failure: "deliveries could not be made of notices", everyMs: timing.everyMs }),
        ...lanes.map(sending)
      ], { concurrency: "unbounded", discard: true })))

    const round = Effect.scoped(Effect.gen(function*() {
      const lanes = yield* makeLanes
      yield* spread
      yield* Effect.forEach(lanes, ({ look }) => look, { discard: true })
      yield* Effect.forEach(lanes, ({ idle }) => idle, { discard: true })
      return lanes.reduce((sum, { tried }) => sum + tried(), 0)
    }))

    return NoticeSender.of({ run, round })
  }))
}

const MS_PER_SECOND = 1_000

/** Sends and cleans as long as the layer lives. */
export const NoticeSenderLayer = Layer.effectDiscard(Effect.gen(function*() {
  const singleton = yield* Singletons
  const sql = yield* SqlClient.SqlClient
  const { run } = yield* NoticeSender
  yield* singleton("notice-sender", run)
  const clean = cleanNotices(sql, { days: RETENTION_DAYS })
  yield* singleton(
    "notice-cleaner",
    inRounds(clean, { failure: "old notices could not be removed", everyMs: CLEAN_MS })
  )
})).pipe(Layer.provide(NoticeSender.layer))
