/**
 * What is told where one person is not enough.
 */
import type { ConfirmationRefused } from "../../../platform/SecondPerson.ts"
import { sayOf, type Visit } from "../Visit.ts"
import { defineMessages } from "./Messages.ts"

const text = defineMessages({
  "nobody": "This is above the limit of what one person may do. Sign in to ask for it.",
  "role": "Your role, or that of the person who asked, does not allow this.",
  "same": "You asked for this yourself: somebody else has to confirm it.",
  "closed": "It was confirmed or rejected before.",
  "expired": "It was not confirmed in time. Make a new request.",
  "changed": "What it would do has changed since the request. Make a new request.",
  "many": "Too many things wait for a second person. Confirm or reject some of them first."
}, {
  "nobody": "此操作超过单人限额，请登录后提交申请。",
  "role": "您或申请人的角色不能执行此操作。",
  "same": "这是您本人提交的申请，须由另一人复核。",
  "closed": "该申请此前已被复核或驳回。",
  "expired": "该申请未在期限内复核，请重新提交。",
  "changed": "提交申请后情况已有变化，请重新提交。",
  "many": "待复核的申请过多，请先处理其中一部分。"
})

export const refusalText = (visit: Visit, reason: ConfirmationRefused["reason"]): string => {
  const say = sayOf(visit, text)
  return {
    nobody: say("nobody"),
    role: say("role"),
    same: say("same"),
    closed: say("closed"),
    expired: say("expired"),
    changed: say("changed"),
    many: say("many")
  }[reason]
}
