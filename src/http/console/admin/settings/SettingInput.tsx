/**
 * The input of one setting by its kind: a choice where there are few answers, a password field for a secret, else a text.
 */
import type { SettingView } from "../../../../settings/SettingsAdmin.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import type { SettingLabel } from "./SettingLabels.ts"

interface InputProps {
  readonly context: UserContext
  readonly setting: SettingView
  readonly label: SettingLabel
  readonly state: FormState
  /** Said in the empty field of a secret. */
  readonly keep: string
}

/** The options of a choice with their names; undefined for what is typed. */
const optionsOf = ({ label, setting, context }: InputProps): ReadonlyArray<readonly [string, string]> | undefined => {
  const say = sayOf(context, "settings")
  if (setting.kind === "flag") return [["true", say("yes")], ["false", say("no")]]
  return setting.kind === "choice"
    ? setting.options.map((option) => [option, label.options?.[option] ?? option] as const)
    : undefined
}

const inputModes: Partial<Record<SettingView["kind"], "numeric" | "decimal" | "url">> = {
  integer: "numeric",
  decimal: "decimal",
  limit: "decimal",
  rate: "decimal",
  url: "url"
}

export const SettingInput = (props: InputProps) => {
  const { keep, label, setting, state } = props
  const { key, kind, text } = setting
  const id = `setting-${key}`
  const problem = state.problems[key]
  const options = optionsOf(props)
  const described = [problem === undefined ? [] : [`${id}-problem`], label.hint === undefined ? [] : [`${id}-hint`]]
    .flat()
  const common = {
    id,
    name: key,
    "aria-invalid": problem === undefined ? undefined : "true" as const,
    "aria-describedby": described.length === 0 ? undefined : described.join(" ")
  }
  const invalid = problem === undefined ? "" : "is-invalid"
  const value = state.values.get(key) ?? text
  return (
    <div class="mb-2">
      <label class="form-label" for={id}>{label.label}</label>
      {options !== undefined
        ? (
          <select class={`form-select ${invalid}`} {...common}>
            {options.map(([option, name]) => (
              <option key={option} value={option} selected={option === value}>{name}</option>
            ))}
          </select>
        )
        : key === "site.notice"
        ? <textarea class={`form-control ${invalid}`} rows={2} {...common}>{value}</textarea>
        : kind === "secret"
        ? (
          <input
            type="password"
            class={`form-control ${invalid}`}
            autocomplete="new-password"
            placeholder={setting.isSet ? keep : undefined}
            {...common}
          />
        )
        : (
          <input
            type="text"
            class={`form-control ${invalid}`}
            value={value}
            autocomplete="off"
            inputmode={inputModes[kind]}
            {...common}
          />
        )}
      {problem === undefined ? null : <div id={`${id}-problem`} class="invalid-feedback">{problem}</div>}
      {label.hint === undefined ? null : <div id={`${id}-hint`} class="form-hint mt-1">{label.hint}</div>}
    </div>
  )
}
