/**
 * The texts of setting a new password by a link.
 */
import { defineMessages } from "../../text/Messages.ts"

export const resetText = defineMessages({
  "title": "Set a new password",
  "lead": "For {email}. All devices are signed out; this link works once.",
  "email": "E-mail address",
  "password": "New password",
  "submit": "Set password",
  "done.title": "Your new password is set",
  "done.text": "All devices are signed out. Sign in with the new password.",
  "invalid.title": "This link is not valid",
  "invalid.text":
    "It was used, it is older than a day, or a newer one has replaced it. Ask the administrator for a new link."
}, {
  "title": "设置新密码",
  "lead": "账户：{email}。设置后所有设备都会退出登录；此链接只能使用一次。",
  "email": "邮箱",
  "password": "新密码",
  "submit": "设置密码",
  "done.title": "新密码已设置",
  "done.text": "所有设备均已退出登录，请使用新密码登录。",
  "invalid.title": "链接无效",
  "invalid.text": "链接已被使用、已超过一天，或已被新的链接取代。请向管理员索取新的链接。"
})
