/**
 * The administration's API: everything that root does in the console, for programs, by the same use cases. One group a subject:
 * `<Name>Api.ts` says what there is (it is the OpenAPI document too), `<Name>Handlers.ts` answers it. A new group is added here
 * and its handlers in `AdminApiRoutes.ts`; prefix, access and unreadable requests are seen to for all of them.
 */
import { HttpApi, HttpApiMiddleware, OpenApi } from "effect/http-api"
import { AdminAccess } from "./AdminAccess.ts"
import { ApiBadRequest } from "./ApiError.ts"
import { AuditApi } from "./AuditApi.ts"
import { BillsApi } from "./BillsApi.ts"
import { ChannelsApi } from "./ChannelsApi.ts"
import { CodesApi } from "./CodesApi.ts"
import { ConfirmationsApi } from "./ConfirmationsApi.ts"
import { ExportsApi } from "./ExportsApi.ts"
import { KeysApi } from "./KeysApi.ts"
import { ModelsApi } from "./ModelsApi.ts"
import { OrdersApi } from "./OrdersApi.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import { PlansApi } from "./PlansApi.ts"
import { PriceImportsApi } from "./PriceImportsApi.ts"
import { SettingsApi } from "./SettingsApi.ts"
import { StatementsApi } from "./StatementsApi.ts"
import { UsageApi } from "./UsageApi.ts"
import { UsersApi } from "./UsersApi.ts"

/** Turns a request that does not fit its endpoint into a {@link ApiBadRequest} that says where. */
export class ReadableRequests extends HttpApiMiddleware.Service<ReadableRequests>()(
  "realms/http/admin/ReadableRequests",
  { error: ApiBadRequest }
) {}

export class AdminApi extends HttpApi.make("realms-admin")
  .add(KeysApi)
  .add(BillsApi)
  .add(ChannelsApi)
  .add(CodesApi)
  .add(ConfirmationsApi)
  .add(ExportsApi)
  .add(SettingsApi)
  .add(ModelsApi)
  .add(OrdersApi)
  .add(PaymentsApi)
  .add(PlansApi)
  .add(PriceImportsApi)
  .add(StatementsApi)
  .add(UsageApi)
  .add(UsersApi)
  .add(AuditApi)
  .middleware(AdminAccess)
  .middleware(ReadableRequests)
  .prefix("/api/admin")
  .annotateMerge(OpenApi.annotations({
    title: "Realms administration",
    description:
      "What root does in the console, for programs. Ids and amounts are decimal texts, names are in snake_case."
  }))
{}
