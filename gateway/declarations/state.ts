/** What is known of the lists themselves: how new they are, and when the platform was last heard. Kept over restarts. */
import { z } from 'zod'

/** Collection of the journal that holds it. */
export const LISTS_STATE = 'lists-state'

/** Key `contact`. Wall-clock ms; null: never. */
export const contactState = z.object({ contact: z.number().nullable(), newest: z.number().nullable() })
export type ContactState = z.output<typeof contactState>

/** Key `import`: the last file that was taken. */
export const importState = z.object({ at: z.number(), file: z.string(), count: z.number() })
export type ImportState = z.output<typeof importState>

export interface ListsState extends ContactState {
  readonly imported: ImportState | null
}

/** From the documents of {@link LISTS_STATE}; a file that was imported is word from the platform, brought by hand. */
export function listsState(documents: readonly { readonly key: string; readonly value: unknown }[]): ListsState {
  const find = (key: string) => documents.find((d) => d.key === key)?.value
  const contact = contactState.safeParse(find('contact'))
  const imported = importState.safeParse(find('import'))
  const at = imported.success ? imported.data.at : null
  return {
    contact: later(contact.success ? contact.data.contact : null, at),
    newest: later(contact.success ? contact.data.newest : null, at),
    imported: imported.success ? imported.data : null,
  }
}

/** The later of two times; null is never. */
export function later(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b)
}
