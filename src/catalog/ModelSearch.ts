/**
 * What people look for among the models that can be called: by words, by who made them, and by what they can do. Pure: the models are
 * in memory.
 */
import { capabilities, type UnpricedTerms } from "../domain/ModelTerms.ts"

/** What a list is narrowed by besides the capabilities that people say of models. */
export const abilities = [...capabilities, "reasoning"] as const
export type Ability = typeof abilities[number]

interface SearchedModel extends Pick<UnpricedTerms, "vendor" | "description" | "capabilities" | "reasoning"> {
  readonly id: string
}

export interface ModelQuery {
  /** Words that all are in the id, the vendor or the description, in any case. */
  readonly text?: string | undefined
  readonly vendor?: string | undefined
  readonly ability?: Ability | undefined
  /** Only ids that come after this one. */
  readonly after?: string | undefined
}

/** In their order. */
export const abilitiesOf = (model: SearchedModel): ReadonlyArray<Ability> =>
  abilities.filter((name) => name === "reasoning" ? model.reasoning : model.capabilities.includes(name))

export type SampledModel = Pick<UnpricedTerms, "capabilities">

/** Whether a model turns texts into vectors, and holds no conversation. */
export const embeds = ({ capabilities }: SampledModel): boolean => capabilities.includes("embeddings")

/** The model that a first call is shown with: one that holds conversations, where there is one. */
export const sampleModel = <M extends SampledModel>(models: ReadonlyArray<M>): M | undefined =>
  models.find((model) => !embeds(model)) ?? models[0]

/** Words that are looked for, at most. */
const WORDS_MAX = 8

/** Vendors that a list is narrowed by, at most. */
const VENDORS_MAX = 200

/** Those who made some of these models, each once. */
export const vendorsOf = (models: ReadonlyArray<SearchedModel>): ReadonlyArray<string> =>
  [...new Set(models.map(({ vendor }) => vendor))].filter((vendor) => vendor !== "").toSorted().slice(0, VENDORS_MAX)

/** Of models in the order of their ids, those that fit. */
export const searchModels = <M extends SearchedModel>(
  models: ReadonlyArray<M>,
  { ability, after, text = "", vendor }: ModelQuery
): ReadonlyArray<M> => {
  const words = text.toLowerCase().split(/\s+/).slice(0, WORDS_MAX)
  const fits = (model: M): boolean => {
    const said = `${model.id}\n${model.vendor}\n${model.description}`.toLowerCase()
    return words.every((word) => said.includes(word))
  }
  const start = after === undefined ? 0 : models.findIndex(({ id }) => id === after) + 1
  return models.slice(start).filter((model) =>
    (vendor === undefined || model.vendor === vendor) &&
    (ability === undefined || abilitiesOf(model).includes(ability)) &&
    fits(model)
  )
}
