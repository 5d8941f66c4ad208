/** The environment of programs whose words a test reads: the same words on a terminal, below a test runner and on CI. */
const ABOUT_COLOURS = new Set(['FORCE_COLOR', 'CI', 'TERM', 'COLORTERM'])

/** That of this process without what makes programs colour their words, and with `more`. */
export function plainEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !ABOUT_COLOURS.has(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more }
}
