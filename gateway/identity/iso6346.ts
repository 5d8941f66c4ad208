/**
 * Container numbers after ISO 6346: three letters of the owner, a category (U freight container, J detachable equipment,
 * Z trailer or chassis), six digits and a check digit. Pure.
 */

/** What a container number looks like, check digit not looked at. */
export const CONTAINER = /^[A-Z]{3}[UJZ]\d{7}$/

/** A to Z: 10 upwards without the multiples of 11. */
const LETTERS: readonly number[] = Array.from({ length: 38 - 10 + 1 }, (_, i) => i + 10).filter((v) => v % 11 !== 0)

/** Upper case without spaces, dots and dashes: `csqu 305438-3` is CSQU3054383. */
export function containerOf(text: string): string {
  return text.toUpperCase().replace(/[\s.\-–]/g, '')
}

/**
 * The check digit of the first ten characters: each value times 2 to the power of its place, the sum modulo 11, 10 counting as 0.
 * Null when they are not four letters and six digits. Owner and category are not looked at, so that swap bodies (EN 13044) have one too.
 */
export function checkDigit(first: string): number | null {
  if (!/^[A-Z]{4}\d{6}/.test(first)) return null
  let sum = 0
  for (let i = 0; i < 10; i++) {
    const code = first.charCodeAt(i)
    sum += (code >= 65 ? LETTERS[code - 65]! : code - 48) * 2 ** i
  }
  return (sum % 11) % 10
}

/** What is wrong with a container number, in words that say what is right; null when nothing is. */
export function containerProblem(text: string): string | null {
  if (!CONTAINER.test(text)) return 'is no container number: 3 letters, U, J or Z, 6 digits and a check digit, e.g. CSQU3054383'
  const right = checkDigit(text)
  if (right === Number(text[10])) return null
  return `has the wrong check digit: of ${text.slice(0, 10)} it is ${right}, not ${text[10]}; compare with the papers, another character may be wrong`
}

/** Whether it is a container number with the right check digit. */
export const isContainer = (text: string): boolean => containerProblem(text) === null
