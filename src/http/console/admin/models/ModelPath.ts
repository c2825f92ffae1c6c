/**
 * Addresses of one model. Its id may be any word, so it is in the query.
 */

export const modelPath = (page: "edit" | "disable" | "enable", id: string, done?: string): string =>
  `/admin/models/${page}?${new URLSearchParams({ id, ...done === undefined ? {} : { done } })}`
