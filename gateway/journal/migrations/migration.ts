/** One step of the database's shape. Never edited after a release: a change is a new step. */
export interface Migration {
  /** From 1, without gaps; kept in `user_version`. */
  readonly version: number
  readonly name: string
  readonly sql: string
}
