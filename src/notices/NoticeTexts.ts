/**
 * What a notice says in its reader's language: a title, a text, and the page that it leads to. Pure. Times are in UTC, and say so: a
 * mail does not know its reader's zone.
 */
import { Option, Schema } from "effect"
import type { Language } from "../domain/Language.ts"
import { type Formats, formatsOf } from "../platform/Formats.ts"
import { type MessageValues, sayFrom } from "../platform/Messages.ts"
import { noticeData, type NoticeKind } from "./NoticeKinds.ts"
import en from "./text/en.json" with { type: "json" }
import zh from "./text/zh.json" with { type: "json" }

export type NoticeTextKey = keyof typeof en

/** The texts, which are complete in both languages. */
export const noticeTexts: Readonly<Record<Language, Readonly<Record<NoticeTextKey, string>>>> = { en, zh }

export interface NoticeText {
  /** On one line. */
  readonly title: string
  readonly text: string
  /** What the page is called, and its path on this site. */
  readonly link: string
  readonly path: string
}

type SayNotice = (key: NoticeTextKey, values?: MessageValues) => string

interface Reader {
  readonly say: SayNotice
  readonly formats: Formats
  /** A moment with its zone. */
  readonly time: (at: Date) => string
}

const TIME_ZONE = "UTC"

const readerOf = (language: Language): Reader => {
  const formats = formatsOf(language, TIME_ZONE)
  return {
    say: sayFrom(language, noticeTexts[language]),
    formats,
    time: (at) => `${formats.time(at)} ${TIME_ZONE}`
  }
}

type DataOf<K extends NoticeKind> = (typeof noticeData)[K]["Type"]
type Written = Pick<NoticeText, "title" | "text" | "path">
type Write<K extends NoticeKind> = (data: DataOf<K>, reader: Reader) => Written

const BYTES_PER_MIB = 1_048_576n

const providers: Readonly<Record<string, string>> = { epay: "EPay", stripe: "Stripe" }

const amountOf = ({ formats }: Reader, minor: bigint | null, currency: string | null): string | undefined =>
  minor === null || currency === null ? undefined : formats.minor(minor, currency)

const orderPath = ({ order_id, order_kind }: Pick<DataOf<"refund">, "order_id" | "order_kind">): string =>
  typeof order_id === "string" && typeof order_kind === "string" ? `/pay/${order_kind}/${order_id}` : "/orders"

const writeDispute = (key: "dispute" | "dispute_due"): Write<typeof key> => (data, reader) => {
  const { say, time } = reader
  const values = {
    amount: reader.formats.minor(data.amount_minor, data.currency),
    provider: providers[data.provider] ?? data.provider,
    reason: data.reason === "" ? say("reason.none") : data.reason,
    due: data.due_at === null ? "" : time(data.due_at)
  }
  const due = key === "dispute" && data.due_at !== null ? [say("dispute.due", values)] : []
  return {
    title: say(`${key}.title`, values),
    text: [say(`${key}.text`, values), ...due].join(" "),
    path: "/admin/payments"
  }
}

const writeRefund = (key: "refund" | "refund_failed"): Write<typeof key> => (data, { formats, say }) => {
  const amount = formats.minor(data.amount_minor, data.currency)
  return { title: say(`${key}.title`, { amount }), text: say(`${key}.text`, { amount }), path: orderPath(data) }
}

const writers: { readonly [K in NoticeKind]: Write<K> } = {
  low_balance: ({ balance_micros, threshold_micros }, { formats, say }) => {
    const threshold = formats.usd(threshold_micros)
    return {
      title: say("low_balance.title", { balance: formats.usdRounded(balance_micros) }),
      text: say("low_balance.text", { balance: formats.usd(balance_micros), threshold }),
      path: "/topup"
    }
  },
  plan_ending: ({ ends_at, plan }, { formats, say, time }) => ({
    title: say("plan_ending.title", { plan, day: formats.date(ends_at) }),
    text: say("plan_ending.text", { plan, at: time(ends_at) }),
    path: "/subscription"
  }),
  payment_received: (data, reader) => {
    const { formats, say } = reader
    const amount = amountOf(reader, data.paid_minor, data.currency)
    const given = data.credit_micros !== null
      ? [say("payment_received.credit", { credit: formats.usd(data.credit_micros) })]
      : typeof data.plan === "string"
      ? [say("payment_received.plan", { plan: data.plan })]
      : []
    const received = amount === undefined
      ? say("payment_received.text.short")
      : say("payment_received.text", { amount })
    return {
      title: amount === undefined ? say("payment_received.title.short") : say("payment_received.title", { amount }),
      text: [received, ...given].join(" "),
      path: orderPath(data)
    }
  },
  refund: writeRefund("refund"),
  refund_failed: writeRefund("refund_failed"),
  new_network: ({ address, at, device }, { say, time }) => ({
    title: say("new_network.title"),
    text: device === null
      ? say("new_network.text", { address, at: time(at) })
      : say("new_network.text.device", { address, device, at: time(at) }),
    path: "/account"
  }),
  account_changed: ({ address, at, change, detail }, { say, time }) => {
    const what = change === "password" && detail !== null
      ? say("account_changed.password.keys", { detail })
      : say(`account_changed.${change}`, { detail: detail ?? "" })
    const values = { what, at: time(at) }
    return {
      title: what,
      text: [
        address === null
          ? say("account_changed.text.other", values)
          : say("account_changed.text", { ...values, address: address === "" ? say("address.unknown") : address }),
        ...change === "email" ? [say("account_changed.text.old_address")] : []
      ].join(" "),
      path: "/account"
    }
  },
  review_needed: ({ amount_minor, currency, event, provider }, reader) => {
    const { say } = reader
    const amount = amountOf(reader, amount_minor, currency)
    const values = { event, provider: providers[provider] ?? provider }
    return {
      title: say("review_needed.title"),
      text: amount === undefined
        ? say("review_needed.text", values)
        : say("review_needed.text.amount", { ...values, amount }),
      path: "/admin/payments"
    }
  },
  dispute: writeDispute("dispute"),
  dispute_due: writeDispute("dispute_due"),
  channel_down: ({ channel, channel_id }, { say }) => ({
    title: say("channel_down.title", { channel }),
    text: say("channel_down.text", { channel }),
    path: `/admin/channels/${channel_id}`
  }),
  ledger_drift: ({ accounts, drift_micros }, { formats, say }) => ({
    title: say("ledger_drift.title"),
    text: say("ledger_drift.text", { count: accounts, amount: formats.usd(drift_micros) }),
    path: "/admin"
  }),
  debt: ({ accounts, owed_micros }, { formats, say }) => ({
    title: say("debt.title", { amount: formats.usd(owed_micros) }),
    text: say("debt.text", { count: accounts, amount: formats.usd(owed_micros) }),
    path: "/admin/users"
  }),
  disk_low: ({ free_bytes, server }, { formats, say }) => ({
    title: say("disk_low.title", { server }),
    text: say("disk_low.text", {
      server,
      free: say("bytes.mib", { amount: formats.count(free_bytes / BYTES_PER_MIB) })
    }),
    path: "/admin"
  }),
  webhook_test: (_, { say }) => ({
    title: say("webhook_test.title"),
    text: say("webhook_test.text"),
    path: "/notifications"
  })
}

const writeOf = <K extends NoticeKind>(kind: K, data: unknown, reader: Reader): Option.Option<Written> => {
  const schema: Schema.Codec<DataOf<K>, unknown> = noticeData[kind]
  return Option.map(Schema.decodeUnknownOption(schema)(data), (read) => writers[kind](read, reader))
}

/** None: the data is not of its kind, which is an error of ours. */
export const textOfNotice = (kind: NoticeKind, data: unknown, language: Language): Option.Option<NoticeText> => {
  const reader = readerOf(language)
  return Option.map(
    writeOf(kind, data, reader),
    ({ path, text, title }) => ({ title, text, path, link: reader.say(`${kind}.link`) })
  )
}

/** The body of a mail. */
export const mailText = (
  { link, path, text }: NoticeText,
  { language, publicUrl, siteName }: {
    readonly language: Language
    readonly siteName: string
    readonly publicUrl: string
  }
): string => {
  const say: SayNotice = sayFrom(language, noticeTexts[language])
  const footer = say("footer", { site: siteName, url: `${publicUrl}/notifications` })
  return `${text}\n\n${link}: ${publicUrl}${path}\n\n-- \n${footer}\n`
}
