/**
 * `/api/admin/settings`: what is in effect, and changes of it. A secret goes in and never comes out.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { settingKinds } from "../../config/SettingDocument.ts"
import { MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { ApiAccepted, ApiConflict, ApiRefused } from "./ApiError.ts"
import { documented, NoContent } from "./ApiSchema.ts"

const Setting = Json({
  key: Schema.String,
  kind: Schema.Literals(settingKinds),
  options: Schema.Array(Schema.String),
  /** Null for a secret. */
  text: Schema.NullOr(Schema.String),
  fileText: Schema.NullOr(Schema.String),
  isSet: Schema.Boolean,
  source: Schema.Literals(["file", "override"]),
  updatedAt: Schema.NullOr(MomentJson),
  updatedBy: Schema.NullOr(Schema.String)
}, { text: "value", fileText: "default" }).pipe(documented("Setting"))

const Settings = Schema.Struct({ revision: Schema.String, settings: Schema.Array(Setting) }).pipe(
  documented("Settings")
)

/** Values are the texts that config.yaml could have. */
const SettingsChange = Schema.Struct({
  revision: Schema.optionalKey(Schema.String),
  set: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  reset: Schema.optionalKey(Schema.Array(Schema.String))
}).pipe(
  documented("SettingsChange", {
    description:
      "All of it or nothing. `set`: new values by key, an empty one removes a secret. `reset`: keys that follow " +
      "config.yaml again. `revision`: of the settings that this was decided on; with another one now it is refused (409)."
  })
)

const { get, patch, post } = HttpApiEndpoint

export class SettingsApi extends HttpApiGroup.make("settings").add(
  get("getSettings", "/settings", { success: Settings }),
  patch("saveSettings", "/settings", {
    payload: SettingsChange,
    success: Settings,
    error: [ApiAccepted, ApiRefused, ApiConflict]
  }),
  post("testConnection", "/settings/test/:provider", {
    params: { provider: Schema.Literals(["epay", "stripe"]) },
    success: NoContent,
    error: ApiRefused
  })
).annotateMerge(OpenApi.annotations({ title: "Settings", description: "What root may change while servers run." })) {}
