/** Deletes the entries that were set first until at most `sizeMax` are left. */
export const keepNewest = <K, V>(map: Map<K, V>, sizeMax: number): void => {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return
    map.delete(key)
  }
}
