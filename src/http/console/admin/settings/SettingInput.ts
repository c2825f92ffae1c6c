/**
 * The input of one setting by its kind: a choice where there are few answers, a secret that is never shown, else a text.
 */
import type { SettingView } from "../../../../settings/SettingsAdmin.ts"
import type { InputEntry } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { optionNames, type SettingLabel } from "./SettingLabels.ts"

export const settingInput = (
  context: Pick<PageContext, "language">,
  { isSet, key, kind, options, text }: SettingView,
  label: SettingLabel
): InputEntry => {
  const say = sayOf(context, "settings")
  const names = optionNames(context, key)
  const input = { ...label, name: key, initial: text }
  if (key === "site.notice") return { ...input, is: "lines", rows: 2 }
  switch (kind) {
    case "flag":
      return { ...input, is: "select", options: [["true", say("yes")], ["false", say("no")]] }
    case "choice":
      return { ...input, is: "select", options: options.map((option) => [option, names[option] ?? option]) }
    case "secret":
      return { ...input, is: "secret", placeholder: isSet ? say("secret.keep") : "" }
    case "integer":
      return { ...input, is: "integer" }
    case "decimal":
    case "limit":
    case "rate":
      return { ...input, is: "decimal" }
    default:
      return input
  }
}
