/**
 * What lists are narrowed by: a text to search for, and choices. Sent by GET, so that what was found has an address.
 */

/** A text that ids or names contain. */
export const FilterText = (
  { label, name, value }: { readonly name: string; readonly label: string; readonly value: string }
) => (
  <div class="col-12 col-sm">
    <label class="form-label" for={`filter-${name}`}>{label}</label>
    <input class="form-control" type="search" id={`filter-${name}`} name={name} value={value} autocomplete="off" />
  </div>
)

/** One of several; `all` stands for no choice. */
export const FilterChoice = (
  { all, chosen, label, name, options }: {
    readonly name: string
    readonly label: string
    readonly all: string
    readonly chosen: string | undefined
    readonly options: ReadonlyArray<readonly [value: string, text: string]>
  }
) => (
  <div class="col-12 col-sm filter-choice">
    <label class="form-label" for={`filter-${name}`}>{label}</label>
    <select class="form-select" id={`filter-${name}`} name={name}>
      <option value="">{all}</option>
      {options.map(([value, text]) => <option key={value} value={value} selected={value === chosen}>{text}</option>)}
    </select>
  </div>
)

/** A day of the visitor's own zone. */
export const FilterDay = (
  { label, name, value }: { readonly name: string; readonly label: string; readonly value: string }
) => (
  <div class="col-6 col-sm-auto">
    <label class="form-label" for={`filter-${name}`}>{label}</label>
    <input class="form-control" type="date" id={`filter-${name}`} name={name} value={value} />
  </div>
)
