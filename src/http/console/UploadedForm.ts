/**
 * A form with files that are too large to be held in memory: they wait on the disk, as long as the request, and are never named by
 * what somebody typed.
 */

export class UploadedForm extends URLSearchParams {
  /** The path of each file by the name of its field. */
  readonly files: ReadonlyMap<string, string>

  constructor(texts: Array<[string, string]>, files: ReadonlyMap<string, string>) {
    super(texts)
    this.files = files
  }
}
