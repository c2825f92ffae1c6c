/**
 * The texts of redeeming a code, wherever that can be done.
 */
import { defineMessages } from "../../text/Messages.ts"

export const redeemText = defineMessages({
  "title": "Redeem a code",
  "code": "Code",
  "code.hint": "For credit or for a plan. Case, spaces and dashes do not matter.",
  "submit": "Redeem",
  "none": "Enter a code.",
  "unknown": "There is no such code, or it is not valid any more.",
  "expired": "This code has expired.",
  "used": "This code has been used already.",
  "mine": "You have redeemed this code already.",
  "gave.balance": "Redeemed: {amount} has been added to your balance.",
  "gave.plan": "Redeemed: you have the plan “{name}” for {days} days."
}, {
  "title": "使用兑换码",
  "code": "兑换码",
  "code.hint": "可兑换额度或套餐。不区分大小写，空格和连字符可省略。",
  "submit": "兑换",
  "none": "请输入兑换码。",
  "unknown": "兑换码不存在，或已失效。",
  "expired": "该兑换码已过期。",
  "used": "该兑换码已被使用。",
  "mine": "您已使用过该兑换码。",
  "gave.balance": "兑换成功：{amount} 已计入您的余额。",
  "gave.plan": "兑换成功：您已获得套餐“{name}”，为期 {days} 天。"
})
