/**
 * The sections of config.yaml about accounts: how they are protected, and where people may sign in besides here.
 * @internal
 */
import { integer, oneOf, Text, textUpTo, withDefault } from "../domain/Scalars.ts"
import { HttpUrl, OptionalHttpUrl, Secret } from "./ConfigScalars.ts"
import { section } from "./ConfigSection.ts"
import { settingBounds } from "./SettingBounds.ts"

const PROVIDER_NAME_CHARACTERS_MAX = 60

/** How accounts are protected. */
export const Security = section({
  /** Who signs in with a second factor: those who want to, or also everybody who may give or take money. */
  secondFactor: withDefault(oneOf(["optional", "root_and_finance"]), "optional"),
  /** API keys that a user makes within an hour, at most. */
  keysPerHour: withDefault(integer(settingBounds["security.keys_per_hour"]), 100)
})

/** Where people may sign in besides here. A provider without a client id is not offered. */
export const SignIn = section({
  /** Any provider of OpenID Connect. */
  oidc: section({
    /** As its button says. */
    name: withDefault(textUpTo(0, PROVIDER_NAME_CHARACTERS_MAX), ""),
    issuer: withDefault(OptionalHttpUrl, ""),
    clientId: withDefault(Text, ""),
    clientSecret: withDefault(Secret, "")
  }),
  github: section({
    clientId: withDefault(Text, ""),
    clientSecret: withDefault(Secret, ""),
    /** Another one for GitHub Enterprise Server. */
    url: withDefault(HttpUrl, "https://github.com")
  })
})
