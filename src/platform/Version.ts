/**
 * The version of this program, as the command line prints it. It is here as well as in `package.json`, so that nothing has to be
 * read from disk to know it.
 */

/** Equal to the one in `package.json`; a test keeps it so. */
export const version = "0.2.0"
