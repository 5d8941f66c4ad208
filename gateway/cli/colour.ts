/** Colours of what commands print: where a person looks at it on a terminal, and nowhere else. */
import pc from 'picocolors'

/**
 * Whether what goes to a stream may be coloured: on a terminal that can, or where FORCE_COLOR asks for it (0: never); NO_COLOR (https://no-color.org)
 * has the last word. Not on CI by itself, as picocolors would: its output is read by programs too.
 */
export function coloured(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** For standard output. */
export const paint = pc.createColors(coloured(process.stdout))
/** For standard error. */
export const paintError = pc.createColors(coloured(process.stderr))
