/**
 * What a form of settings changes: by a button that resets or removes one of them, or by what was typed.
 */
import { fieldOf, isSettingKey, type SettingField } from "../config/SettingDocument.ts"
import type { SettingChanges, SettingView } from "./SettingsAdmin.ts"

/** What is not shown in its input is kept where the input is left empty. */
const isKeptEmpty = ({ kind }: Pick<SettingField, "kind">): boolean => kind === "secret" || kind === "image"

/**
 * A button resets or removes one setting of the form's section and nothing else; saving takes what differs from what is in effect. A
 * setting that was not sent is left as it is, and so is a secret or an image that is left empty.
 */
export const changesIn = (
  form: URLSearchParams,
  settings: ReadonlyArray<SettingView>,
  section: SettingField["section"]
): SettingChanges => {
  const pressed = (button: string) => {
    const key = form.get(button) ?? ""
    return isSettingKey(key) && fieldOf(key).section === section ? key : undefined
  }
  const reset = pressed("reset")
  if (reset !== undefined) return new Map([[reset, null]])
  const removed = pressed("remove")
  if (removed !== undefined && isKeptEmpty(fieldOf(removed))) return new Map([[removed, ""]])
  return new Map(settings.flatMap(({ key, kind, source, text }) => {
    // A switch is sent after what it means to leave it off.
    const sent = form.getAll(key).at(-1)?.trim().replaceAll("\r\n", "\n")
    if (fieldOf(key).section !== section || sent === undefined) return []
    // Days are closed from when the zone is saved, also where it is the one of the file.
    if (kind === "zone" && source === "file") return [[key, sent] as const]
    return (isKeptEmpty({ kind }) ? sent === "" : sent === text) ? [] : [[key, sent] as const]
  }))
}
