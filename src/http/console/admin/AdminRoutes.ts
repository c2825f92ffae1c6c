/**
 * The pages of the administration. `AdminPolicy` says who may use which; for everybody else they are not there.
 */
import { routes } from "../ConsoleRoute.ts"
import { AdminAnnouncementsRoutes } from "./announcements/Announcements.tsx"
import { AuditRoutes } from "./audit/Audit.tsx"
import { BooksRoutes } from "./books/BooksRoutes.ts"
import { ChannelsRoutes } from "./channels/Channels.tsx"
import { CodesRoutes } from "./codes/Codes.tsx"
import { ConfirmationsRoutes } from "./confirmations/Confirmations.tsx"
import { GroupsRoutes } from "./groups/Groups.tsx"
import { InvitesRoutes } from "./invites/Invites.tsx"
import { AdminKeysRoutes } from "./keys/Keys.tsx"
import { AdminModelsRoutes } from "./models/Models.tsx"
import { ImportRoutes } from "./models/PriceFiles.tsx"
import { AdminNoticesRoutes } from "./notices/Notices.tsx"
import { AdminOrdersRoutes } from "./orders/AdminOrders.tsx"
import { OverviewRoutes } from "./overview/Overview.tsx"
import { PaymentsRoutes } from "./payments/Payments.tsx"
import { AdminPlansRoutes } from "./plans/Plans.tsx"
import { SearchRoutes } from "./search/Search.tsx"
import { SettingsRoutes } from "./settings/Settings.tsx"
import { AllUsageRoutes } from "./usage/AllUsage.tsx"
import { UserRoutes } from "./users/User.tsx"
import { UsersRoutes } from "./users/Users.tsx"

export const AdminRoutes = routes(
  AdminAnnouncementsRoutes,
  AdminKeysRoutes,
  AdminModelsRoutes,
  AdminNoticesRoutes,
  AdminOrdersRoutes,
  AdminPlansRoutes,
  AllUsageRoutes,
  AuditRoutes,
  BooksRoutes,
  ChannelsRoutes,
  CodesRoutes,
  ConfirmationsRoutes,
  GroupsRoutes,
  ImportRoutes,
  InvitesRoutes,
  OverviewRoutes,
  PaymentsRoutes,
  SearchRoutes,
  SettingsRoutes,
  UserRoutes,
  UsersRoutes
)
