/**
 * The links below a list that is shown page by page, newest first: to its beginning, and to what is older.
 */

export const Pager = (
  { newest, older }: {
    /** Undefined: this is the first page, or the last one. */
    readonly newest: { readonly href: string; readonly text: string } | undefined
    readonly older: { readonly href: string; readonly text: string } | undefined
  }
) =>
  newest === undefined && older === undefined ? null : (
    <div class="card-footer d-flex justify-content-between">
      {newest === undefined ? <span /> : <a href={newest.href}>{newest.text}</a>}
      {older === undefined ? null : <a href={older.href} rel="next">{older.text}</a>}
    </div>
  )
