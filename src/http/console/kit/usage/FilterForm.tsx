/**
 * Which calls of a period are listed: by model, key, state and who paid.
 */
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FilterChoice } from "../../ui/FilterParts.tsx"
import { callStateName, fundingName } from "./CallParts.tsx"
import { callStates, fundings, type UsageQuery } from "./UsageQuery.ts"

export interface FilterChoices {
  readonly models: ReadonlyArray<string>
  readonly keys: ReadonlyArray<Pick<ListedApiKey, "id" | "name" | "hint">>
}

export const FilterForm = (
  { choices, query, context }: {
    readonly context: PageContext
    readonly query: UsageQuery
    readonly choices: FilterChoices
  }
) => {
  const say = sayOf(context, "usage")
  const { filter, range } = query
  const all = say("all")
  // What is chosen is offered, even where nothing of it is known.
  const models = [...new Set([...choices.models, ...(filter.model === undefined ? [] : [filter.model])])]
  return (
    <form method="get" action="/usage#calls" class="row g-2 align-items-end">
      <input type="hidden" name="range" value={range.name} />
      {range.name === "custom"
        ? (
          <>
            <input type="hidden" name="from" value={range.from} />
            <input type="hidden" name="to" value={range.to} />
          </>
        )
        : null}
      <FilterChoice
        name="model"
        label={say("model")}
        all={all}
        chosen={filter.model}
        options={models.map((model) => [model, model])}
      />
      <FilterChoice
        name="key"
        label={say("key")}
        all={all}
        chosen={filter.keyId?.toString()}
        options={choices.keys.map((
          key
        ) => [key.id.toString(), key.name === "" ? key.hint : `${key.name} (${key.hint})`])}
      />
      <FilterChoice
        name="state"
        label={say("state")}
        all={all}
        chosen={filter.state}
        options={callStates.map((state) => [state, callStateName(context, state)])}
      />
      <FilterChoice
        name="funding"
        label={say("funding")}
        all={all}
        chosen={filter.funding}
        options={fundings.map((funding) => [funding, fundingName(context, funding)])}
      />
      <div class="col-12 col-md-auto">
        <button class="btn w-100" type="submit">{say("filter")}</button>
      </div>
    </form>
  )
}
