/**
 * Every kind of ledger entry: what explains it, which way it moves the balance, and the one line of the statements that it is in.
 */

/** What causes an entry, in the order of the statements' lines. Each moves the balance; a waiver moves the debt alone. */
export const ledgerKinds = {
  /** A paid order. */
  topup: { refType: "topup_order", direction: 1, line: "top_ups" },
  /** Root has credited a payment. */
  payment_credit: { refType: "payment_event", direction: 1, line: "credits" },
  redemption: { refType: "redemption", direction: 1, line: "codes" },
  adjustment: { refType: "adjustment", direction: 0, line: "adjustments" },
  /** Root takes off what a payment had credited twice. */
  correction: { refType: "payment_event", direction: -1, line: "adjustments" },
  refund: { refType: "payment_event", direction: -1, line: "clawbacks" },
  dispute: { refType: "payment_event", direction: -1, line: "clawbacks" },
  refund_returned: { refType: "payment_event", direction: 1, line: "clawbacks_returned" },
  dispute_returned: { refType: "payment_event", direction: 1, line: "clawbacks_returned" },
  /** A debt paid from a credit or from the end of a call: the database posts it, whatever the reference is. */
  recovery: { refType: null, direction: -1, line: "collected_debts" },
  waiver: { refType: "waiver", direction: 0, line: "waived_debts" }
} as const satisfies Readonly<
  Record<string, { readonly refType: string | null; readonly direction: -1 | 0 | 1; readonly line: string }>
>

export type LedgerKind = keyof typeof ledgerKinds

/** Kinds that are posted by name; recoveries follow from them. */
export type PostedKind = Exclude<LedgerKind, "recovery">

export type LedgerLine = typeof ledgerKinds[LedgerKind]["line"]

export const isLedgerKind = (text: string): text is LedgerKind => Object.hasOwn(ledgerKinds, text)
