/** The names of outbox files in `data_dir`: what settlements have to be looked for, replayed and backed up. */

/** A file with settlements; its group is the place of the process that wrote it. */
export const outboxFileName = /^(?:unsettled|set-aside)(?:-(\d{1,3}))?\.jsonl(?:\.replaying)?$/

/** True for a file that has settlements, or lines that could not be read as such. */
export const isOutboxFile = (name: string): boolean => outboxFileName.test(name.replace(/\.unreadable$/, ""))
