/**
 * The texts about calls that were refused, on a user's page of usage and on root's.
 */
import { defineMessages } from "../../text/Messages.ts"

export const refusedText = defineMessages({
  "refused": "Refused calls",
  "refused.lead":
    "Calls that were refused before they cost anything. The newest {count} of the last {days} days are kept.",
  "refused.answer": "Status",
  "refused.none": "No more refused calls",
  "refused.older": "Older refused calls",
  "refused.newest": "Newest refused calls"
}, {
  "refused": "被拒绝的调用",
  "refused.lead": "在产生费用之前被拒绝的调用。保留最近 {days} 天内最新的 {count} 次。",
  "refused.answer": "状态码",
  "refused.none": "没有更多被拒绝的调用",
  "refused.older": "更早的被拒绝调用",
  "refused.newest": "最新的被拒绝调用"
})
