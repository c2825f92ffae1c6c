/**
 * The administration's API: everything that root does in the console, for programs, by the same use cases; with its OpenAPI document
 * at `/api/openapi.json` and a page to read it at `/api/docs`. An area is one module `<Name>Api.ts`: the JSON that it takes and
 * gives, its endpoints, its handlers. A new area is added here.
 */
import { Layer } from "effect"
import { HttpApi, HttpApiBuilder, HttpApiSwagger, OpenApi } from "effect/http-api"
import { version } from "../../platform/Version.ts"
import { AdminAccess } from "./AdminAccess.ts"
import { AnnouncementsApi, AnnouncementsHandlers } from "./AnnouncementsApi.ts"
import { docsPolicy } from "./ApiDocsPage.ts"
import { guarded } from "./ApiHandlers.ts"
import { AuditApi, AuditHandlers } from "./AuditApi.ts"
import { BillsApi, BillsHandlers, ExportsApi, ExportsHandlers, StatementsApi, StatementsHandlers } from "./BooksApi.ts"
import { ChannelsApi, ChannelsHandlers } from "./ChannelsApi.ts"
import { CodesApi, CodesHandlers } from "./CodesApi.ts"
import { ConfirmationsApi, ConfirmationsHandlers } from "./ConfirmationsApi.ts"
import { GroupsApi, GroupsHandlers } from "./GroupsApi.ts"
import { KeysApi, KeysHandlers } from "./KeysApi.ts"
import { InvitesApi, InvitesHandlers } from "./InvitesApi.ts"
import { ModelsApi, ModelsHandlers } from "./ModelsApi.ts"
import { OrdersApi, OrdersHandlers } from "./OrdersApi.ts"
import { PaymentsApi, PaymentsHandlers } from "./PaymentsApi.ts"
import { PlansApi, PlansHandlers } from "./PlansApi.ts"
import { PriceImportsApi, PriceImportsHandlers } from "./PriceImportsApi.ts"
import { ReadableRequests } from "./ReadableRequests.ts"
import { SettingsApi, SettingsHandlers } from "./SettingsApi.ts"
import { UsageApi, UsageHandlers } from "./UsageApi.ts"
import { UsersApi, UsersHandlers } from "./UsersApi.ts"

const areas = HttpApi.make("realms-admin")
  .add(AnnouncementsApi)
  .add(KeysApi)
  .add(BillsApi)
  .add(ChannelsApi)
  .add(CodesApi)
  .add(ConfirmationsApi)
  .add(ExportsApi)
  .add(GroupsApi)
  .add(InvitesApi)
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

export const AdminApi = guarded(areas).annotateMerge(OpenApi.annotations({
  title: "Realms administration",
  version,
  description:
    "What root does in the console, for programs. Ids and amounts are decimal texts, names are in snake_case."
}))

const Handlers = Layer.mergeAll(
  AnnouncementsHandlers,
  AuditHandlers,
  BillsHandlers,
  ChannelsHandlers,
  CodesHandlers,
  ConfirmationsHandlers,
  ExportsHandlers,
  GroupsHandlers,
  InvitesHandlers,
  KeysHandlers,
  ModelsHandlers,
  OrdersHandlers,
  PaymentsHandlers,
  PlansHandlers,
  PriceImportsHandlers,
  SettingsHandlers,
  StatementsHandlers,
  UsageHandlers,
  UsersHandlers
)

export const AdminApiRoutes = Layer.mergeAll(
  HttpApiBuilder.layer(AdminApi, { openapiPath: "/api/openapi.json" }).pipe(
    Layer.provide(Handlers),
    Layer.provide(Layer.mergeAll(AdminAccess.layer, ReadableRequests.layer))
  ),
  HttpApiSwagger.layer(AdminApi, { path: "/api/docs" }).pipe(Layer.provide(docsPolicy.layer))
)
