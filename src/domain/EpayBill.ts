/**
 * What an EPay gateway calls the columns of its list of trades, as the settings have it: `trade_no=Trade number`. Gateways write their
 * lists in ways of their own.
 */

export const epayColumns = ["trade_no", "money", "refund", "fee", "time", "state"] as const
export type EpayColumn = typeof epayColumns[number]

const isColumn = (text: string): text is EpayColumn => epayColumns.some((column) => column === text)

/** The column and its title; undefined for what is no such pair. */
export const readEpayColumn = (text: string): readonly [EpayColumn, string] | undefined => {
  const at = text.indexOf("=")
  const column = text.slice(0, at).trim()
  const title = text.slice(at + 1).trim()
  if (at < 0 || !isColumn(column) || title === "" || /\p{Cc}/u.test(title)) return undefined
  return column === "state" && !/^.+:.+$/.test(title) ? undefined : [column, title]
}
