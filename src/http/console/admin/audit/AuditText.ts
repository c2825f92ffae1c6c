/**
 * The texts of the page that shows the audit log.
 */
import { defineMessages } from "../../text/Messages.ts"

export const auditText = defineMessages({
  "title": "Audit log",
  "lead": "Every change made in the administration, by its API and on the command line. Nothing here is ever changed.",
  "actor": "Who",
  "action": "Action begins with",
  "target": "What was changed",
  "from": "From",
  "to": "To",
  "range.problem": "Enter days as they are in the calendar, the first one first.",
  "when": "When and who",
  "change": "Change",
  "address": "Address",
  "none": "Nothing recorded",
  "none.filtered": "Nothing matches the filter",
  "was": "was",
  "is": "is now",
  "cli": "Command line",
  "key": "by key {id}",
  "only": "Only changes of {target}",
  "export": "Export CSV",
  "export.hint": "The file has the newest {count} at most; narrow the filter for older ones."
}, {
  "title": "审计日志",
  "lead": "在管理后台、管理接口和命令行中所做的每一项更改。记录一经写入，不再更改。",
  "actor": "操作者",
  "action": "操作前缀",
  "target": "对象",
  "from": "起始日期",
  "to": "结束日期",
  "range.problem": "请填写有效的日期，起始日期不得晚于结束日期。",
  "when": "时间与操作者",
  "change": "更改",
  "address": "地址",
  "none": "暂无记录",
  "none.filtered": "没有符合条件的记录",
  "was": "原为",
  "is": "现为",
  "cli": "命令行",
  "key": "通过密钥 {id}",
  "only": "只看 {target} 的更改",
  "export": "导出 CSV",
  "export.hint": "文件最多包含最新的 {count} 条记录；如需更早的记录，请缩小筛选范围。"
})
