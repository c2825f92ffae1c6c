/**
 * What roles are called, and what they may do, in both languages.
 */
import type { Role } from "../../../identity/Roles.ts"
import type { Visit } from "../Visit.ts"
import { defineMessages, sayIn } from "./Messages.ts"

const roleText = defineMessages({
  "user": "User",
  "support": "Support",
  "finance": "Finance",
  "root": "Administrator",
  "user.hint": "Uses the gateway.",
  "support.hint": "Reads users, calls and orders.",
  "finance.hint": "Sees to payments, refunds and the books, and reads users, calls and orders.",
  "root.hint": "May change everything here."
}, {
  "user": "用户",
  "support": "客服",
  "finance": "财务",
  "root": "管理员",
  "user.hint": "使用网关。",
  "support.hint": "可查看用户、调用和订单。",
  "finance.hint": "处理支付、退款和账务，并可查看用户、调用和订单。",
  "root.hint": "可以更改这里的一切。"
})

/** Written out, so that each text is found as used. */
export const roleNames = ({ language }: Pick<Visit, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(roleText, language)
  return { user: say("user"), support: say("support"), finance: say("finance"), root: say("root") }
}

export const roleHints = ({ language }: Pick<Visit, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(roleText, language)
  return {
    user: say("user.hint"),
    support: say("support.hint"),
    finance: say("finance.hint"),
    root: say("root.hint")
  }
}
