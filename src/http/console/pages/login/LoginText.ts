/**
 * The texts of signing in, registering, and making the first administrator.
 */
import { defineMessages } from "../../text/Messages.ts"

export const loginText = defineMessages({
  "login.title": "Sign in",
  "login.lead": "With your e-mail address and password.",
  "login.submit": "Sign in",
  "login.refused": "The e-mail address or the password is wrong.",
  "login.new": "New here?",
  "register.title": "Create an account",
  "register.lead": "One key for every model. You pay only for what you use.",
  "register.submit": "Create account",
  "register.taken": "This e-mail address cannot be used for a new account. If it is yours, sign in instead.",
  "register.known": "Already have an account?",
  "closed.title": "Registration is closed",
  "closed.text": "New accounts are made by the administrator of this installation. Please ask them for one.",
  "setup.title": "Set up Realms",
  "setup.lead": "Make the administrator's account. This link works once, and until there is an administrator.",
  "setup.submit": "Create administrator",
  "setup.taken": "There is a user with this e-mail address already. Choose another one.",
  "setup.invalid.title": "This setup link is not valid",
  "setup.invalid.text":
    "It was used, it is older than a day, or there is an administrator already. While there is none, every start of the server prints a new link to its log; from a shell, the administrator is made by:",
  "email": "E-mail address",
  "email.invalid": "Enter an e-mail address, such as name@example.com.",
  "password": "Password"
}, {
  "login.title": "登录",
  "login.lead": "使用您的邮箱和密码。",
  "login.submit": "登录",
  "login.refused": "邮箱或密码不正确。",
  "login.new": "还没有账户？",
  "register.title": "注册账户",
  "register.lead": "一个密钥调用所有模型，按实际用量付费。",
  "register.submit": "注册",
  "register.taken": "该邮箱无法用于注册新账户。如果这是您的邮箱，请直接登录。",
  "register.known": "已有账户？",
  "closed.title": "注册已关闭",
  "closed.text": "本站的新账户由管理员创建，请联系管理员。",
  "setup.title": "初始化 Realms",
  "setup.lead": "创建管理员账户。此链接只能使用一次，且仅在尚无管理员时有效。",
  "setup.submit": "创建管理员",
  "setup.taken": "该邮箱已被其他用户使用，请换一个。",
  "setup.invalid.title": "初始化链接无效",
  "setup.invalid.text":
    "链接已被使用、已超过一天，或管理员已存在。在没有管理员时，服务每次启动都会在日志中输出新的链接；也可以在命令行中创建管理员：",
  "email": "邮箱",
  "email.invalid": "请输入邮箱地址，例如 name@example.com。",
  "password": "密码"
})
