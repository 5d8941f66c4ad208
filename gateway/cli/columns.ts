/** Columns that a text takes on a terminal: Chinese characters and their punctuation are two wide, combining marks none. */

const WIDE = /[\p{Script=Han}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u
const NONE = /\p{Mark}/u

export const columns = (text: string): number => {
  let n = 0
  for (const char of text) n += WIDE.test(char) ? 2 : NONE.test(char) ? 0 : 1
  return n
}

/** Like `padEnd`, by columns. */
export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columns(text)))

/** Columns of a table, the first left-aligned, the others right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => columns(row[i] ?? '')))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? pad(cell, widths[i]!) : ' '.repeat(Math.max(0, widths[i]! - columns(cell))) + cell))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
