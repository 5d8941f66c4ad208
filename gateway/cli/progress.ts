/** A bar on standard error while something long is done; nothing where nobody looks at a terminal. */
const WIDTH = 30
const EVERY_MS = 100

export interface ProgressBar {
  /** @param share 0 to 1 */
  show(share: number, words: string): void
  clear(): void
}

/** `[##########....................]  33 %  33000 declarations` */
export function barText(share: number, words: string): string {
  const done = Math.max(0, Math.min(1, share))
  const filled = Math.round(done * WIDTH)
  return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${String(Math.floor(done * 100)).padStart(3)} %  ${words}`
}

export function progressBar(out: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr): ProgressBar {
  if (out.isTTY !== true) return { show() {}, clear() {} }
  let last = Number.NEGATIVE_INFINITY
  return {
    show(share, words) {
      const now = performance.now()
      if (now - last < EVERY_MS && share < 1) return
      last = now
      out.write(`\r${barText(share, words)}\x1b[K`)
    },
    clear() {
      out.write('\r\x1b[K')
    },
  }
}
