/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AdminRoutes } from "./admin/AdminRoutes.ts"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute, routes } from "./ConsoleRoute.ts"
import { LogoRoute } from "./SiteFiles.ts"
import { AccountRoutes } from "./user/Account.tsx"
import { AnnouncementRoutes } from "./user/Announcements.tsx"
import { DashboardRoutes } from "./user/Dashboard.tsx"
import { EmailAddressRoutes } from "./user/EmailAddress.tsx"
import { ForgotPasswordRoutes } from "./user/ForgotPassword.tsx"
import { IdentitiesRoutes } from "./user/Identities.tsx"
import { KeysRoutes } from "./user/Keys.tsx"
import { LedgerRoutes } from "./user/Ledger.tsx"
import { LoginCodeRoutes } from "./user/LoginCode.tsx"
import { LoginRoutes } from "./user/Login.tsx"
import { ModelsRoutes } from "./user/Models.tsx"
import { NotificationRoutes } from "./user/Notifications.tsx"
import { OrdersRoutes } from "./user/Orders.tsx"
import { PasskeysRoutes } from "./user/Passkeys.tsx"
import { PayRoutes } from "./user/Pay.tsx"
import { RegisterRoutes } from "./user/Register.tsx"
import { SecondFactorRoutes } from "./user/SecondFactor.tsx"
import { SignInWithRoutes } from "./user/SignInWith.tsx"
import { SubscriptionRoutes } from "./user/Subscription.tsx"
import { TermsRoutes } from "./user/Terms.tsx"
import { TopupRoutes } from "./user/Topup.tsx"
import { UsageRoutes } from "./user/Usage.tsx"

/** Every page and form of the console. */
export const consoleRoutes = routes(
  AccountRoutes,
  AdminRoutes,
  AnnouncementRoutes,
  DashboardRoutes,
  EmailAddressRoutes,
  ForgotPasswordRoutes,
  IdentitiesRoutes,
  KeysRoutes,
  LedgerRoutes,
  LoginCodeRoutes,
  LoginRoutes,
  ModelsRoutes,
  NotificationRoutes,
  OrdersRoutes,
  PasskeysRoutes,
  PayRoutes,
  RegisterRoutes,
  SecondFactorRoutes,
  SignInWithRoutes,
  SubscriptionRoutes,
  TermsRoutes,
  TopupRoutes,
  UsageRoutes,
  notFoundRoute
)

export const ConsoleRoutes = Layer.mergeAll(AssetRoutes, LogoRoute, ...consoleRoutes.map(({ layer }) => layer))
