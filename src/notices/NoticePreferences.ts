/**
 * What a user is told by mail, from which balance on, how long before a plan ends, and in which language. Without a word of theirs:
 * everything but a low balance, which needs a threshold.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import type { Language } from "../domain/Language.ts"
import { type NoticeTerms, noticeTerms } from "../domain/NoticeTerms.ts"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { mutableMailKinds, type NoticeKind, rootNoticeKinds } from "./NoticeKinds.ts"

/** What was filled in is out of bounds; names the fields. */
export class NoticeTermsRefused extends Schema.TaggedError<NoticeTermsRefused>()("NoticeTermsRefused", {
  fields: Schema.Array(Schema.Literals(noticeTerms.names))
}) {
  override readonly message = `out of bounds: ${this.fields.join(", ")}`
}

const Preferences = Row({ ...noticeTerms.row, mutedMail: Schema.Array(Schema.String) })
export interface Preferences extends Schema.Schema.Type<typeof Preferences> {}

export class NoticePreferences extends Context.Service<NoticePreferences, {
  of(userId: UserId): Effect.Effect<Preferences, DatabaseUnavailable>
  /** A threshold that is changed is judged again. */
  save(
    userId: UserId,
    terms: NoticeTerms,
    mutedMail: ReadonlyArray<NoticeKind>
  ): Effect.Effect<void, NoticeTermsRefused | DatabaseUnavailable>
  /** The user reads this language now. */
  speak(userId: UserId, language: Language): Effect.Effect<void, DatabaseUnavailable>
}>()("realms/notices/NoticePreferences") {
  static readonly layer = Layer.effect(NoticePreferences)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const of = (userId: UserId) =>
      oneRowOf(
        Preferences,
        sql`SELECT p.low_balance_micros , coalesce(p.plan_ending_days, 3) AS plan_ending_days,
            coalesce(p.muted_mail, '{}') AS muted_mail
          FROM (SELECT) one LEFT JOIN notice_preferences p ON p.user_id = ${userId}`
      ).pipe(orUnavailable)

    const save = Effect.fn("NoticePreferences.save")(
      function*(userId: UserId, terms: NoticeTerms, mutedMail: ReadonlyArray<NoticeKind>) {
        const fields = noticeTerms.wrong(terms)
        if (fields.length > 0) return yield* new NoticeTermsRefused({ fields })
        const threshold = terms.lowBalanceMicros === 0n ? null : terms.lowBalanceMicros
        yield* sql`INSERT INTO notice_preferences AS p (user_id, low_balance_micros, plan_ending_days, muted_mail)
          VALUES (${userId}, ${threshold}::bigint, ${terms.planEndingDays}, ${mutedMail}::text[])
          ON CONFLICT (user_id) DO UPDATE SET low_balance_micros = excluded.low_balance_micros,
            plan_ending_days = excluded.plan_ending_days, muted_mail = excluded.muted_mail,
            low_balance_told_at = CASE WHEN p.low_balance_micros IS NOT DISTINCT FROM excluded.low_balance_micros
              THEN p.low_balance_told_at END`
      },
      orUnavailable
    )

    const speak = (userId: UserId, language: Language) =>
      sql`UPDATE users SET language = ${language} WHERE id = ${userId} AND language IS DISTINCT FROM ${language}`.pipe(
        Effect.asVoid,
        orUnavailable
      )

    return NoticePreferences.of({ of, save, speak })
  }))
}

/** The kinds of these that are not wanted, by those that are. */
export const mutedOf = (
  kinds: ReadonlyArray<NoticeKind>,
  wanted: ReadonlyArray<string>
): ReadonlyArray<NoticeKind> => kinds.filter((kind) => !wanted.includes(kind))

/** The mails that somebody may do without: root also those about the service. */
export const kindsFor = ({ isRoot }: { readonly isRoot: boolean }): ReadonlyArray<NoticeKind> =>
  isRoot ? [...mutableMailKinds, ...rootNoticeKinds] : mutableMailKinds
