/**
 * The folder's layer: what people are told outside the console, by mail and to programs of theirs.
 */
import { Mailer } from "./Mailer.ts"

export const NoticesLayer = Mailer.layer
