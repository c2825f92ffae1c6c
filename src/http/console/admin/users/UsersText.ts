/**
 * The texts of the list of users and of making one.
 */
import { defineMessages } from "../../text/Messages.ts"

export const usersText = defineMessages({
  "title": "Users",
  "lead": "Everybody who has an account here, newest first.",
  "new": "Create user",
  "search": "E-mail address or id",
  "role": "Role",
  "state": "State",
  "state.active": "Active",
  "state.disabled": "Disabled",
  "none": "No user matches",
  "user": "User",
  "balance": "Balance",
  "seen": "Last seen",
  "never": "Not signed in",
  "created": "Created",
  "new.lead": "Without a password: give them a link to set one, on the page that follows.",
  "email": "E-mail address",
  "email.invalid": "Enter an e-mail address, such as name@example.com.",
  "email.taken": "There is a user with this e-mail address already.",
  "role.problem": "Choose a role."
}, {
  "title": "用户",
  "lead": "本站的所有账户，最新创建的在前。",
  "new": "创建用户",
  "search": "邮箱或编号",
  "role": "角色",
  "state": "状态",
  "state.active": "正常",
  "state.disabled": "已停用",
  "none": "没有符合条件的用户",
  "user": "用户",
  "balance": "余额",
  "seen": "最近在线",
  "never": "未登录",
  "created": "创建时间",
  "new.lead": "账户创建时没有密码：请在下一页生成链接，由用户自行设置。",
  "email": "邮箱",
  "email.invalid": "请输入邮箱地址，例如 name@example.com。",
  "email.taken": "该邮箱已被其他用户使用。",
  "role.problem": "请选择角色。"
})
