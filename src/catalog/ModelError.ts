/**
 * Why a model is not made or changed. Nothing has changed when one of these is answered.
 */
import { Schema } from "effect"
import { modelFields } from "./ModelTerms.ts"

export class ModelExists extends Schema.TaggedError<ModelExists>()("ModelExists", { model: Schema.String }) {
  override readonly message = `there is a model ${this.model} already`
}

/** These fields are out of bounds. */
export class ModelRefused extends Schema.TaggedError<ModelRefused>()("ModelRefused", {
  fields: Schema.Array(Schema.Literals(modelFields))
}) {}

/** `json`: no JSON; `shape`: no price list that is known here; `size`: more entries or text than is taken. */
export class PriceFileRefused extends Schema.TaggedError<PriceFileRefused>()("PriceFileRefused", {
  why: Schema.Literals(["json", "shape", "size"])
}) {}

/** It is not there, or no longer kept. */
export class ImportNotFound extends Schema.TaggedError<ImportNotFound>()("ImportNotFound", { id: Schema.BigInt }) {}

/** `none` or too `many` chosen, the same model `twice`, or one that cannot be taken (`choice`). */
export class ImportRefused extends Schema.TaggedError<ImportRefused>()("ImportRefused", {
  why: Schema.Literals(["none", "many", "twice", "choice"]),
  /** The model it is about; empty where it is about all of them. */
  model: Schema.String
}) {}
