/**
 * `/api/admin/settings`: what is in effect, and changes of it. A secret goes in and never comes out.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ApiAccepted, ApiConflict, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiMoment } from "./ApiSchema.ts"

const Setting = Schema.Struct({
  key: Schema.String,
  kind: Schema.Literals([
    "zone",
    "flag",
    "integer",
    "decimal",
    "limit",
    "rate",
    "choice",
    "text",
    "url",
    "list",
    "secret"
  ]),
  options: Schema.Array(Schema.String),
  /** Null for a secret. */
  value: Schema.NullOr(Schema.String),
  default: Schema.NullOr(Schema.String),
  is_set: Schema.Boolean,
  source: Schema.Literals(["file", "override"]),
  updated_at: Schema.NullOr(ApiMoment),
  updated_by: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Setting" })

const Settings = Schema.Struct({ revision: Schema.String, settings: Schema.Array(Setting) }).annotate({
  identifier: "Settings"
})

/** Values are the texts that config.yaml could have. */
const SettingsChange = Schema.Struct({
  revision: Schema.optionalKey(Schema.String),
  set: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  reset: Schema.optionalKey(Schema.Array(Schema.String))
}).annotate({
  identifier: "SettingsChange",
  description:
    "All of it or nothing. `set`: new values by key, an empty one removes a secret. `reset`: keys that follow " +
    "config.yaml again. `revision`: of the settings that this was decided on; with another one now it is refused (409)."
})

export class SettingsApi extends HttpApiGroup.make("settings").add(
  HttpApiEndpoint.get("getSettings", "/settings", { success: Settings, error: ApiUnavailable }),
  HttpApiEndpoint.patch("saveSettings", "/settings", {
    payload: SettingsChange,
    success: Settings,
    error: [ApiAccepted, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("testConnection", "/settings/test/:provider", {
    params: { provider: Schema.Literals(["epay", "stripe"]) },
    success: HttpApiSchema.NoContent,
    error: [ApiRefused, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({ title: "Settings", description: "What root may change while servers run." })) {}
