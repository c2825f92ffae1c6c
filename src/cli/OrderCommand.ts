/**
 * `realms order create|start|show|list|cancel`: the same use cases as the console's pages. `start` prints where the payer goes: a
 * page to open, or a form to post.
 */
import { Effect, type Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { OrderId } from "../domain/Ids.ts"
import { FEN_SCALE, parseDecimal } from "../domain/Money.ts"
import type { Users } from "../identity/Users.ts"
import { Checkout, type PaymentStart } from "../orders/Checkout.ts"
import { FOUND_MAX } from "../orders/SearchFilter.ts"
import type { Attempt, Order } from "../orders/Order.ts"
import { Orders } from "../orders/Orders.ts"
import { OrderSearch, orderStates } from "../orders/OrderSearch.ts"
import { failed, misused } from "./CliFailure.ts"
import { providing } from "./CommandServices.ts"
import { dollars, print, type Printable, table, toJson, yuan } from "./Output.ts"
import { findUser, parseId, userFlag } from "./Parameters.ts"

/** Orders that are listed unless more are asked for. */
const FOUND_SHOWN = 20

const orderArgument = Argument.String("id").pipe(
  Argument.withDescription("Id of the order"),
  Argument.filterMap(parseId(OrderId), () => "the id of an order, a whole number")
)

const parseCny = (text: string): Option.Option<bigint> => {
  const fen = parseDecimal(text.trim().replace(/^¥/, ""), FEN_SCALE)
  return fen === undefined || fen <= 0n ? Option.none() : Option.some(fen)
}

const topupFlag = Flag.String("topup-cny").pipe(
  Flag.withMetavar("amount"),
  Flag.withDescription("Order credit for an amount in CNY, such as 10.00"),
  Flag.filterMap(parseCny, () => "an amount in CNY above 0, such as 10.00, with at most two decimals"),
  Flag.optional
)

const planFlag = Flag.String("plan").pipe(
  Flag.withMetavar("code"),
  Flag.withDescription("Order a plan by its code"),
  Flag.optional
)

const describeOrder = (order: Order): string => {
  const what = order.terms === null ? `${dollars(order.creditMicros)} of credit` : `plan ${order.terms.name}`
  return `order ${order.id}: ${what} for ${yuan(order.amountFen)}, ${order.state}`
}

const orderFields = (order: Order): { readonly [key: string]: Printable } => ({
  id: order.id,
  kind: order.kind,
  user_id: order.userId,
  state: order.state,
  amount_fen: order.amountFen,
  credit_micros: order.creditMicros,
  plan_code: order.terms?.code ?? null,
  subscription_id: order.subscriptionId,
  created_at: order.createdAt,
  expires_at: order.expiresAt,
  settled_at: order.settledAt
})

const attemptFields = (attempt: Attempt): Printable => ({
  id: attempt.id,
  provider: attempt.provider,
  method: attempt.method,
  state: attempt.state,
  amount_minor: attempt.amountMinor,
  currency: attempt.currency,
  reference: attempt.reference,
  session: attempt.session,
  payment: attempt.payment,
  debited_micros: attempt.debitedMicros,
  created_at: attempt.createdAt
})

const create = Command.make(
  "create",
  { user: userFlag, topup: topupFlag, plan: planFlag },
  (flags) =>
    Effect.gen(function*() {
      const orders = yield* Orders
      if (Option.isSome(flags.topup) === Option.isSome(flags.plan)) {
        return yield* misused("say what to order: give either --topup-cny or --plan")
      }
      const user = yield* findUser(flags.user)
      const order = Option.isSome(flags.topup)
        ? yield* orders.topup(user.id, flags.topup.value)
        : yield* orders.subscription(user.id, Option.getOrElse(flags.plan, () => ""))
      yield* print(orderFields(order), describeOrder(order))
    })
).pipe(
  Command.withDescription("Order credit or a plan for a user"),
  Command.withExamples([
    { command: "realms order create --user ada@example.com --topup-cny 10.00" },
    { command: "realms order create --user ada@example.com --plan basic" }
  ])
)

const startFields = (start: PaymentStart): Printable =>
  start.type === "redirect"
    ? { type: start.type, url: start.url }
    : { type: start.type, method: "POST", action: start.action, fields: Object.fromEntries(start.fields) }

const providerFlag = Flag.Literals("provider", ["epay", "stripe"]).pipe(Flag.withDescription("The payment provider"))

const methodFlag = Flag.String("method").pipe(
  Flag.withMetavar("name"),
  Flag.withDescription("The payment method at EPay, such as alipay or wxpay"),
  Flag.optional
)

const start = Command.make(
  "start",
  { id: orderArgument, provider: providerFlag, method: methodFlag },
  (flags) =>
    Effect.gen(function*() {
      const checkout = yield* Checkout
      if (flags.provider === "epay" && Option.isNone(flags.method)) {
        return yield* failed("say how EPay is paid: --method alipay, for one")
      }
      const started = flags.provider === "epay"
        ? yield* checkout.startEpay(flags.id, undefined, Option.getOrElse(flags.method, () => ""))
        : yield* checkout.startStripe(flags.id, undefined)
      const fields = startFields(started)
      yield* print(fields, started.type === "redirect" ? started.url : toJson(fields))
    })
).pipe(Command.withDescription("Start a payment: prints the page to open, or the form to post as JSON"))

const show = Command.make("show", { id: orderArgument }, ({ id }) =>
  Effect.gen(function*() {
    const { attempts, order } = yield* (yield* Orders).show(id, undefined)
    const lines = attempts.map((attempt) =>
      `  ${attempt.provider}${
        attempt.method === null ? "" : ` ${attempt.method}`
      }: ${attempt.state}, ${attempt.reference}`
    )
    yield* print(
      { ...orderFields(order), attempts: attempts.map(attemptFields) },
      [describeOrder(order), ...lines].join("\n")
    )
  })).pipe(Command.withDescription("Show an order and its payment attempts"))

const cancel = Command.make("cancel", { id: orderArgument }, ({ id }) =>
  Effect.gen(function*() {
    const order = yield* (yield* Orders).cancel(id, undefined)
    yield* print(orderFields(order), describeOrder(order))
  })).pipe(Command.withDescription("Cancel a pending order"))

const limitFlag = Flag.Int("limit").pipe(
  Flag.withDefault(FOUND_SHOWN),
  Flag.withDescription(`How many, at most ${FOUND_MAX}`),
  Flag.filterMap(
    (limit) => limit >= 1 && limit <= FOUND_MAX ? Option.some(limit) : Option.none(),
    () => `a number from 1 to ${FOUND_MAX}`
  )
)

const stateFlag = Flag.Literals("state", orderStates).pipe(
  Flag.withDescription("Only orders in this state"),
  Flag.optional
)

const buyerFlag = userFlag.pipe(Flag.optional)

const list = Command.make(
  "list",
  { user: buyerFlag, state: stateFlag, limit: limitFlag },
  (flags) =>
    Effect.gen(function*() {
      const user = Option.isSome(flags.user) ? yield* findUser(flags.user.value) : undefined
      const found = yield* (yield* OrderSearch).list(
        { user: user?.id.toString(), state: Option.getOrUndefined(flags.state) },
        { limit: flags.limit }
      )
      yield* print(
        found.map(({ email, order }) => ({ ...orderFields(order), email })),
        found.length === 0 ? "there are no such orders" : table(
          ["ID", "WHAT", "AMOUNT", "STATE", "USER", "CREATED"],
          found.map(({ email, order }) => [
            order.id.toString(),
            order.terms === null ? dollars(order.creditMicros) : order.terms.name,
            yuan(order.amountFen),
            order.state,
            email,
            order.createdAt.toISOString().slice(0, 16).replace("T", " ")
          ])
        )
      )
    })
).pipe(
  Command.withDescription("List orders, the newest first (times in UTC)"),
  Command.withExamples([{ command: "realms order list --state pending" }])
)

export const orderCommand = <E, R>(services: Layer.Layer<Users | Orders | OrderSearch | Checkout, E, R>) => {
  const provided = providing(services)
  return Command.make("order").pipe(
    Command.withDescription("Order, pay, list, show and cancel"),
    Command.withSubcommands([provided(create), provided(start), provided(show), provided(list), provided(cancel)])
  )
}
