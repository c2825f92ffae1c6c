/**
 * The receipt of an order as a sheet in the words of its reader: what its page shows and its PDF prints.
 */
import type { OrderReceipt, ReturnLine } from "../../../orders/OrderReceipts.ts"
import type { Sheet, SheetLine, SheetParty } from "../../../platform/Sheet.ts"
import { creditText, methodName, orderName } from "../kit/Orders.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"

interface ReceiptProps {
  readonly context: UserContext
  readonly receipt: OrderReceipt
  /** Where it was sold, which names a seller who has said nothing. */
  readonly site: string
}

const filled = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => line.trim()).filter((line) => line !== "")

const parties = ({ receipt: { buyer, seller }, site, context }: ReceiptProps): ReadonlyArray<SheetParty> => {
  const say = sayOf(context, "orders")
  const taxText = (taxId: string) => taxId === "" ? "" : say("taxId.text", { id: taxId })
  return [
    {
      title: say("seller"),
      lines: filled([seller.name === "" ? site : seller.name, ...seller.address.split("\n"), taxText(seller.taxId)])
    },
    {
      title: say("customer"),
      lines: buyer === null ? [context.user.email] : filled([buyer.companyName, taxText(buyer.taxId), buyer.email])
    }
  ]
}

const facts = ({ receipt: { attempts, order, takenMicros }, context }: ReceiptProps): Sheet["facts"] => {
  const say = sayOf(context, "orders")
  const { time, usd } = context.formats
  const paid = attempts.find(({ payment, state }) => state === "paid" && payment !== null)
  const all: ReadonlyArray<readonly [name: string, value: string | undefined]> = [
    [say("number"), String(order.id)],
    [sayOf(context, "order")("placed"), time(order.createdAt)],
    [say("paid"), order.settledAt === null ? undefined : time(order.settledAt)],
    [say("paidWith"), paid && methodName(context, paid.provider, paid.method)],
    [say("reference"), paid?.payment ?? undefined],
    order.terms === null
      ? [sayOf(context, "order")("credit"), creditText(context, order)]
      : [say("period"), say("days", { count: order.terms.durationDays })],
    [say("taken"), takenMicros === 0n ? undefined : usd(takenMicros)]
  ]
  return all.flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
}

const returnText = ({ context }: ReceiptProps, { is, isPending }: ReturnLine): string => {
  const say = sayOf(context, "orders")
  if (is === "dispute") return say("line.dispute")
  return isPending ? say("line.refund.pending") : say("refund")
}

export const receiptSheet = (props: ReceiptProps & { readonly title: string }): Sheet => {
  const { receipt, site, title, context } = props
  const { currency, keptMinor, order, paidMinor, returns } = receipt
  const say = sayOf(context, "orders")
  const { cny, minor, time, timeZone } = context.formats
  const item: SheetLine = {
    text: orderName(context, order),
    note: currency === "cny" ? "" : say("line.asked", { amount: cny(order.amountFen) }),
    amount: minor(paidMinor, currency)
  }
  return {
    title,
    parties: parties(props),
    facts: facts(props),
    columns: [sayOf(context, "order")("what"), say("amount")],
    lines: [
      item,
      ...returns.map((line) => ({
        text: returnText(props, line),
        note: time(line.at),
        amount: minor(line.amountMinor, currency)
      }))
    ],
    total: [returns.length === 0 ? say("total") : say("total.kept"), minor(keptMinor, currency)],
    footer: say("issued", { site, zone: timeZone })
  }
}
